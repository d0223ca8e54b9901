// Package account keeps the platform's customers: who they are, in which language and zone they live, the mailbox
// where the platform's mail reaches them, and the data key that everything personal about them is sealed under.
//
// Accounts are keyed by the platform's own ids. Put takes the whole of what the platform knows; what the account
// holder chose for themselves (language, zone) wins over it. Erase destroys the data key and with it all that was
// sealed; what other features keep goes through the functions that the program wired in.
//
// changed_at is also the version of the account and of what hangs on it, its contacts above all: it grows strictly
// with each change. A feature that reads an account with its own rows and then changes them calls Claim first; one
// that changes rows of its own without having read them calls Touch first. So two changes of one account never
// overlap, an erased account gets no rows back, and all take their locks in one order.
//
// The package leans on base/store, base/seal, base/event, base/fault and base/address.
package account

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/address"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Options wire Accounts. Keys is required.
type Options struct {
	Keys *seal.Keyring
	// Erase removes what the features keep of an account, in this order, when the account's row is gone already.
	Erase []func(ctx context.Context, tx *store.Tx, id string) error
	// AfterErase runs after the commit of an erasure; it is for what makes the erased data leave the disk.
	AfterErase func()
}

// Accounts reads and changes accounts. It holds no state and is safe for concurrent use.
type Accounts struct {
	o Options
}

// New returns Accounts over o.
func New(o Options) *Accounts { return &Accounts{o: o} }

// Account is one customer of the platform, opened. Name may be empty; Mailbox.IsZero when there is none. Locale (a
// BCP 47 tag, "en" when nobody said) and TimeZone (an IANA name, "UTC" when nobody said) are the ones in effect: the
// holder's choice (ChosenLocale, ChosenTimeZone, empty when they made none) before the platform's (of which GivenLocale,
// empty when it said nothing). Country is ISO 3166 alpha-2 or empty.
type Account struct {
	ID             string
	Name           string
	Mailbox        address.Email
	Locale         string
	TimeZone       string
	ChosenLocale   string
	ChosenTimeZone string
	GivenLocale    string
	Country        string
	CreatedAt      time.Time
	ChangedAt      time.Time
	Key            seal.DataKey
}

// Get returns an account, in one statement.
//
// Faults: NotFound "unknown-account".
func (a *Accounts) Get(ctx context.Context, tx *store.Tx, id string) (Account, error) {
	r, err := get(ctx, tx, id)
	if err != nil {
		return Account{}, err
	}
	return a.Open(&r)
}

func get(ctx context.Context, tx *store.Tx, id string) (r Row, err error) {
	err = tx.QueryRow(ctx, "SELECT "+Columns+" FROM account WHERE account_id = $1", id).Scan(r.Dest()...)
	if errors.Is(err, store.ErrNoRows) {
		err = Unknown()
	}
	return r, err
}

// Unknown is the fault of an account that does not exist: NotFound "unknown-account".
func Unknown() error { return fault.New(fault.NotFound, "unknown-account") }

// Claim makes the caller the one who changes the account until the commit, provided that nobody has changed it since
// acc was read; false says to read again. It is the first write of a change.
func (a *Accounts) Claim(ctx context.Context, tx *store.Tx, acc Account) (bool, error) {
	read := store.Micros(acc.ChangedAt)
	n, err := tx.Exec(ctx, "UPDATE account SET changed_at = $3 WHERE account_id = $1 AND changed_at = $2",
		acc.ID, read, next(tx, read))
	return n == 1, err
}

// Touch says that something about the account changes. It is the first write of a change that did not read the
// account; an account that does not exist stays so.
func (a *Accounts) Touch(tx *store.Tx, id string) {
	tx.Later("UPDATE account SET changed_at = CASE WHEN changed_at < $2 THEN $2 ELSE changed_at + 1 END WHERE account_id = $1",
		id, store.Micros(tx.Now()))
}

// next is the changed_at that follows one that was read.
func next(tx *store.Tx, read int64) int64 { return max(store.Micros(tx.Now()), read+1) }
