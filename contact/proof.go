package contact

import (
	"context"
	"errors"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/store"
)

// Target is what a verification is to prove: the waiting value of a slot or, without one, the current.
type Target struct {
	Account account.Account
	Contact Contact
	Value          // the value to prove
	Index   []byte // its blind index, in the domain of its kind
	Version int64  // what MarkVerified wants to see again
}

// Target returns what there is to prove in a slot, in one statement.
//
// Faults: NotFound "unknown-account", "unknown-contact".
func (c *Contacts) Target(ctx context.Context, tx *store.Tx, accountID string, slot Slot) (t Target, err error) {
	acc, r, err := c.read(ctx, tx, accountID, slot)
	if err != nil {
		return t, err
	}
	if !r.exists() {
		return t, unknownContact()
	}
	t = Target{Account: acc, Index: r.index, Version: r.version}
	if t.Contact, err = r.open(acc); err != nil {
		return t, err
	}
	t.Value = t.Contact.Value
	if t.Contact.Pending != nil {
		t.Value, t.Index = t.Contact.Pending.Value, r.pendingIndex
	}
	return t, nil
}

// A proof that puts a waiting value in force leaves pending_at standing, by which it is told from one that found none:
// RETURNING cannot show what was there before.
const proveQuery = `UPDATE contact SET state = 'verified', reason = '', verified_at = $4, due_at = $5, reminded_at = NULL,
		value = COALESCE(pending_value, value), value_index = COALESCE(pending_index, value_index),
		line = CASE WHEN pending_value IS NULL THEN line ELSE pending_line END,
		set_at = CASE WHEN pending_value IS NULL THEN set_at ELSE pending_at END,
		pending_at = CASE WHEN pending_value IS NULL THEN NULL ELSE pending_at END,
		pending_value = NULL, pending_index = NULL, pending_line = ''
	WHERE account_id = $1 AND slot = $2 AND version = $3 AND state <> 'removed'
	RETURNING line, pending_at`

// MarkVerified records that the version of a slot's contact is proved; a waiting value is in force from now on. False
// says that the contact is no longer the one that was to be proved. It takes two statements, and one more when a
// waiting value takes effect.
//
// Events: contact.verified, and contact.changed with window_until when a waiting value took effect.
func (c *Contacts) MarkVerified(ctx context.Context, tx *store.Tx, accountID string, slot Slot, version int64, actor string) (ok bool, err error) {
	c.o.Accounts.Touch(tx, accountID)
	r := record{version: version}
	var took *int64
	now := tx.Now()
	err = tx.QueryRow(ctx, proveQuery, accountID, slot.String(), version, store.Micros(now), store.Micros(now.Add(c.o.MaxAge))).
		Scan(&r.line, &took)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	tell := teller{tx, accountID, slot, actor}
	body := r.body()
	body["due_at"] = now.Add(c.o.MaxAge).Format(time.RFC3339Nano)
	tell.happened("contact.verified", body)
	if took != nil {
		tell.happened("contact.changed", r.bodyUntil(c.takeEffect(tx, accountID, slot)))
	}
	return true, nil
}

// Version returns the version of a slot's contact as it is now, 0 when there is none.
func (c *Contacts) Version(ctx context.Context, tx *store.Tx, accountID string, slot Slot) (version int64, err error) {
	err = tx.QueryRow(ctx, "SELECT version FROM contact WHERE account_id = $1 AND slot = $2 AND state <> 'removed'",
		accountID, slot.String()).Scan(&version)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	return version, err
}
