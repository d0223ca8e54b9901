package contact

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/digits"
	"countersign.dev/base/fault"
	"countersign.dev/base/ratelimit"
	"countersign.dev/base/store"
)

// Dispute is "this was not us", said of a change that took effect. A change is disputed once; Again says that it had
// been before, at At. It is for staff to judge: alone it changes nothing about the contact.
type Dispute struct {
	Account   string
	Slot      Slot
	Kind      ChangeKind
	ChangedAt time.Time
	At        time.Time
	Again     bool
}

// DisputeByCode disputes the change whose message to the contact that stood there before had this reference, in its
// printed form, and this code, as a person types it. It makes its own transactions: the first commits the count of the
// try before anything is compared. At most 20 tries are taken of a reference in the life of its code, over all nodes,
// right ones too; a reference that there is not is counted and answered exactly like a wrong code.
//
// Events: contact.disputed with version, once a change.
//
// Faults: Invalid "dispute-code-malformed" (not counted), "dispute-not-matched" (wrong, unknown or out of date) at
// "code"; TooMany "too-many-dispute-tries".
func (c *Contacts) DisputeByCode(ctx context.Context, db *store.DB, reference, code, actor string) (Dispute, error) {
	return c.disputeByCode(ctx, db, reference, code, actor, func(disputable) bool { return true })
}

// DisputeByCodeOf is DisputeByCode for a change of one slot of an account: any other change is not matched.
func (c *Contacts) DisputeByCodeOf(ctx context.Context, db *store.DB, accountID string, slot Slot, reference, code, actor string) (Dispute, error) {
	return c.disputeByCode(ctx, db, reference, code, actor, func(d disputable) bool { return d.account == accountID && d.slot == slot.String() })
}

func (c *Contacts) disputeByCode(ctx context.Context, db *store.DB, reference, code, actor string, meant func(disputable) bool) (d Dispute, err error) {
	code, ok := digits.Read(code, disputeDigits)
	if !ok {
		return d, fault.New(fault.Invalid, "dispute-code-malformed").At("code")
	}
	if err := c.countTry(ctx, db, reference); err != nil {
		return d, err
	}
	ctx = context.WithoutCancel(ctx) // a try that was counted is settled, though the caller may have gone
	var found disputable
	err = db.Read(ctx, func(tx *store.Tx) (err error) {
		found, err = c.byCode(ctx, tx, reference, code)
		if err == nil && !meant(found) {
			err = store.ErrNoRows
		}
		return err
	})
	if err == nil {
		err = db.Write(ctx, func(tx *store.Tx) (err error) {
			d, err = c.file(ctx, tx, found, actor)
			return err
		})
	}
	if errors.Is(err, store.ErrNoRows) {
		err = fault.New(fault.Invalid, "dispute-not-matched", int(disputeCodeLife/day)).At("code")
	}
	return d, err
}

// Dispute disputes the newest change of a slot whose window is open, for an account that the caller vouches for.
//
// Events: contact.disputed with version, once a change.
//
// Faults: NotFound "unknown-account"; Conflict "nothing-to-dispute".
func (c *Contacts) Dispute(ctx context.Context, tx *store.Tx, accountID string, slot Slot, actor string) (d Dispute, err error) {
	if _, err := c.o.Accounts.Get(ctx, tx, accountID); err != nil {
		return d, err
	}
	var found disputable
	err = tx.QueryRow(ctx, newestChangeQuery, accountID, slot.String(), store.Micros(tx.Now())).Scan(found.dest()...)
	if err == nil {
		d, err = c.file(ctx, tx, found, actor)
	}
	if errors.Is(err, store.ErrNoRows) {
		err = fault.New(fault.Conflict, "nothing-to-dispute")
	}
	return d, err
}

// maxTries is how many codes may be tried with one reference.
const maxTries = 20

func (c *Contacts) countTry(ctx context.Context, db *store.DB, reference string) error {
	limit := ratelimit.Limit{Key: c.o.Keys.MAC("limit-dispute", reference), Max: maxTries, Window: disputeCodeLife}
	return db.Write(ctx, func(tx *store.Tx) error {
		wait, err := ratelimit.Take(ctx, tx, limit)
		if err == nil && wait > 0 {
			err = fault.New(fault.TooMany, "too-many-dispute-tries") // no time to come back: the code does not live longer
		}
		return err
	})
}

// disputable is a change that can be disputed; disputed is when it was, 0 for never.
type disputable struct {
	account   string
	id        string
	slot      string
	kind      ChangeKind
	version   int64
	effective int64
	disputed  int64
}

const (
	disputableColumns = `contact_change.account_id, contact_change.change_id, contact_change.slot, contact_change.kind,
		contact_change.version, contact_change.effective_at, COALESCE(dispute.created_at, 0)`

	joinDispute = ` LEFT JOIN dispute ON dispute.account_id = contact_change.account_id
		AND dispute.change_id = contact_change.change_id`

	newestChangeQuery = "SELECT " + disputableColumns + " FROM contact_change" + joinDispute + `
		WHERE contact_change.account_id = $1 AND contact_change.slot = $2 AND contact_change.window_until > $3
		ORDER BY contact_change.version DESC LIMIT 1`

	insertDispute = `INSERT INTO dispute (account_id, change_id, created_at)
		SELECT account_id, change_id, $3 FROM contact_change WHERE account_id = $1 AND change_id = $2
		ON CONFLICT (account_id, change_id) DO NOTHING`

	disputedQuery = "SELECT created_at FROM dispute WHERE account_id = $1 AND change_id = $2"
)

func (d *disputable) dest() []any {
	return []any{&d.account, &d.id, &d.slot, &d.kind, &d.version, &d.effective, &d.disputed}
}

// file puts a dispute on record unless it is there already. The error is store.ErrNoRows when the change is there no
// more, because its account was erased meanwhile.
func (c *Contacts) file(ctx context.Context, tx *store.Tx, ch disputable, actor string) (d Dispute, err error) {
	d = Dispute{Account: ch.account, Kind: ch.kind, ChangedAt: store.Time(ch.effective), At: tx.Now()}
	if d.Slot, err = ParseSlot(ch.slot); err != nil {
		return d, err
	}
	if ch.disputed == 0 {
		c.o.Accounts.Touch(tx, ch.account)
		n, err := tx.Exec(ctx, insertDispute, ch.account, ch.id, store.Micros(d.At))
		if err != nil {
			return d, err
		}
		if n == 1 {
			teller{tx, d.Account, d.Slot, actor}.happened("contact.disputed", map[string]any{"version": ch.version})
			return d, nil
		}
		if err := tx.QueryRow(ctx, disputedQuery, ch.account, ch.id).Scan(&ch.disputed); err != nil {
			return d, err
		}
	}
	d.At, d.Again = store.Time(ch.disputed), true
	return d, nil
}
