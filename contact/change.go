package contact

import (
	"context"
	"fmt"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// ChangeKind is what happened to a contact that had been verified.
type ChangeKind string

// The kinds of change.
const (
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
)

// Window is a change of a verified contact that took effect, and the time after it in which both sides are told: the
// new contact in full, the old one that something was sent. Each change has its own.
type Window struct {
	ID          string // of the change
	Slot        Slot
	Kind        ChangeKind
	Version     int64 // of the contact that the change made
	Old         Value // what stood there before
	RequestedAt time.Time
	EffectiveAt time.Time
	Until       time.Time
}

const (
	changesQuery = "SELECT " + account.Columns + `, contact_change.change_id, contact_change.slot, contact_change.kind,
			contact_change.version, contact_change.old_value, contact_change.requested_at, contact_change.effective_at,
			contact_change.window_until
		FROM contact_change JOIN account ON account.account_id = contact_change.account_id
		WHERE contact_change.account_id = $1`

	windowsQuery = changesQuery + " AND contact_change.window_until > $2 ORDER BY contact_change.change_id"

	changeQuery = changesQuery + ` AND contact_change.slot = $2 AND contact_change.version = $3
		AND contact_change.effective_at IS NOT NULL`
)

// Windows returns the account's windows that are open, in one statement.
func (c *Contacts) Windows(ctx context.Context, tx *store.Tx, accountID string) ([]Window, error) {
	rows, err := tx.Query(ctx, windowsQuery, accountID, store.Micros(tx.Now()))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var open []Window
	for rows.Next() {
		_, w, err := c.scanWindow(rows.Scan)
		if err != nil {
			return nil, err
		}
		open = append(open, w)
	}
	return open, rows.Err()
}

// Change returns the account and the change that made a version of a slot's contact, in one statement: the one that a
// contact.changed, contact.removed or contact.disputed event tells of. The error is store.ErrNoRows when the version
// put no contact out of use that had been verified.
func (c *Contacts) Change(ctx context.Context, tx *store.Tx, accountID string, slot Slot, version int64) (
	acc account.Account, w Window, err error,
) {
	return c.scanWindow(tx.QueryRow(ctx, changeQuery, accountID, slot.String(), version).Scan)
}

// scanWindow reads a row of changesQuery and opens it.
func (c *Contacts) scanWindow(scan func(dest ...any) error) (acc account.Account, w Window, err error) {
	var a account.Row
	var slot string
	var old []byte
	var requested, effective, until int64
	if err := scan(append(a.Dest(), &w.ID, &slot, &w.Kind, &w.Version, &old, &requested, &effective, &until)...); err != nil {
		return acc, w, err
	}
	w.RequestedAt, w.EffectiveAt, w.Until = store.Time(requested), store.Time(effective), store.Time(until)
	if acc, err = c.o.Accounts.Open(&a); err != nil {
		return acc, w, err
	}
	if w.Slot, err = ParseSlot(slot); err != nil {
		return acc, w, err
	}
	text, err := acc.Key.Open(changePlace(acc.ID, w.ID), old)
	if err == nil {
		w.Old, err = readStored(w.Slot.Kind(), string(text))
	}
	if err != nil {
		err = fmt.Errorf("account %s: change %s: %w", acc.ID, w.ID, err)
	}
	return acc, w, err
}

func changePlace(accountID, id string) seal.Place {
	return seal.Place{Table: "contact_change", Row: accountID + "/" + id, Column: "old_value"}
}

// await notes that a value waits to take old's place. There is one such note a slot, whatever is set meanwhile.
func (c *Contacts) await(tx *store.Tx, acc account.Account, old Contact, version int64) {
	if old.Pending == nil {
		c.insertChange(tx, acc, old, Changed, version, nil, nil)
		return
	}
	tx.Later(`UPDATE contact_change SET version = $3, requested_at = $4 WHERE account_id = $1 AND slot = $2 AND effective_at IS NULL`,
		acc.ID, old.Slot.String(), version, store.Micros(tx.Now()))
}

// settle notes that old, which had been verified, stands no more, and returns the end of the window. What it was
// granted by way of deferrals goes with it.
func (c *Contacts) settle(tx *store.Tx, acc account.Account, old Contact, kind ChangeKind, version int64) (until time.Time) {
	until = tx.Now().Add(c.o.ChangeWindow)
	now := store.Micros(tx.Now())
	if old.Pending == nil {
		c.insertChange(tx, acc, old, kind, version, now, store.Micros(until))
	} else {
		tx.Later(`UPDATE contact_change SET kind = $3, version = $4, effective_at = $5, window_until = $6
			WHERE account_id = $1 AND slot = $2 AND effective_at IS NULL`,
			acc.ID, old.Slot.String(), string(kind), version, now, store.Micros(until))
	}
	tx.Later("DELETE FROM deferral WHERE account_id = $1 AND slot = $2 AND created_at < $3",
		acc.ID, old.Slot.String(), store.Micros(old.VerifiedAt))
	return until
}

// takeEffect opens the window of the change that waited in the slot.
func (c *Contacts) takeEffect(tx *store.Tx, accountID string, slot Slot) (until time.Time) {
	until = tx.Now().Add(c.o.ChangeWindow)
	tx.Later(`UPDATE contact_change SET effective_at = $3, window_until = $4 WHERE account_id = $1 AND slot = $2 AND effective_at IS NULL`,
		accountID, slot.String(), store.Micros(tx.Now()), store.Micros(until))
	return until
}

func (c *Contacts) dropWaiting(tx *store.Tx, accountID string, slot Slot) {
	tx.Later("DELETE FROM contact_change WHERE account_id = $1 AND slot = $2 AND effective_at IS NULL", accountID, slot.String())
}

func (c *Contacts) insertChange(tx *store.Tx, acc account.Account, old Contact, kind ChangeKind, version int64, effective, until any) {
	id := store.NewID(tx.Now())
	tx.Later(`INSERT INTO contact_change (account_id, change_id, slot, kind, version, old_value, old_index, requested_at,
			effective_at, window_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		acc.ID, id, old.Slot.String(), string(kind), version, acc.Key.Seal(changePlace(acc.ID, id), []byte(old.stored())),
		c.index(old.Slot.Kind(), old.Value), store.Micros(tx.Now()), effective, until)
}
