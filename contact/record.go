package contact

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"countersign.dev/account"
	"countersign.dev/base/address"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// record is a row of the table contact; a zero state is no row, and 0 stands for NULL in times. pendingAt outlives the
// pending value once: see MarkVerified.
type record struct {
	slot         string
	value        []byte
	index        []byte
	line         string
	state        State
	reason       Reason
	version      int64
	setAt        int64
	verifiedAt   int64
	dueAt        int64
	remindedAt   int64
	pendingValue []byte
	pendingIndex []byte
	pendingLine  string
	pendingAt    int64
}

// columns fit an outer join: they are never NULL but for the values.
const columns = `COALESCE(contact.slot, ''), contact.value, contact.value_index, COALESCE(contact.line, ''),
	COALESCE(contact.state, ''), COALESCE(contact.reason, ''), COALESCE(contact.version, 0), COALESCE(contact.set_at, 0),
	COALESCE(contact.verified_at, 0), COALESCE(contact.due_at, 0), COALESCE(contact.reminded_at, 0),
	contact.pending_value, contact.pending_index, COALESCE(contact.pending_line, ''), COALESCE(contact.pending_at, 0)`

func (r *record) dest() []any {
	return []any{
		&r.slot, &r.value, &r.index, &r.line, &r.state, &r.reason, &r.version, &r.setAt, &r.verifiedAt, &r.dueAt,
		&r.remindedAt, &r.pendingValue, &r.pendingIndex, &r.pendingLine, &r.pendingAt,
	}
}

// exists is false for a contact that never was, and for one that was removed.
func (r *record) exists() bool { return r.state != "" && r.state != removed }

func (r *record) pending() bool { return r.pendingValue != nil }

// holds tells whether the current or the pending value has this blind index.
func (r *record) holds(index []byte) (current, pending bool) {
	return r.exists() && bytes.Equal(r.index, index), r.pending() && bytes.Equal(r.pendingIndex, index)
}

const oneQuery = "SELECT " + account.Columns + ", " + columns + ` FROM account
	LEFT JOIN contact ON contact.account_id = account.account_id AND contact.slot = $2 WHERE account.account_id = $1`

// read returns the account and the slot's row, in one statement.
func (c *Contacts) read(ctx context.Context, tx *store.Tx, accountID string, slot Slot) (acc account.Account, r record, err error) {
	var a account.Row
	err = tx.QueryRow(ctx, oneQuery, accountID, slot.String()).Scan(append(a.Dest(), r.dest()...)...)
	if errors.Is(err, store.ErrNoRows) {
		return acc, r, account.Unknown()
	}
	if err != nil {
		return acc, r, err
	}
	r.slot = slot.String()
	acc, err = c.o.Accounts.Open(&a)
	return acc, r, err
}

// take reads the account and the slot's row and, if wanted then says that there is something to do, claims the
// account: what was read stays so until the commit. It reads again when somebody else was faster.
func (c *Contacts) take(ctx context.Context, tx *store.Tx, accountID string, slot Slot,
	wanted func(acc account.Account, r *record) (bool, error),
) (acc account.Account, r record, taken bool, err error) {
	for {
		acc, r, err = c.read(ctx, tx, accountID, slot)
		if err != nil {
			return acc, r, false, err
		}
		if ok, err := wanted(acc, &r); err != nil || !ok {
			return acc, r, false, err
		}
		if taken, err = c.o.Accounts.Claim(ctx, tx, acc); err != nil || taken {
			return acc, r, taken, err
		}
	}
}

// save writes the row of a claimed account.
func (r *record) save(tx *store.Tx, accountID string) {
	tx.Later(`INSERT INTO contact (account_id, slot, value, value_index, line, state, reason, version, set_at, verified_at,
			due_at, reminded_at, pending_value, pending_index, pending_line, pending_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (account_id, slot) DO UPDATE SET value = excluded.value, value_index = excluded.value_index,
			line = excluded.line, state = excluded.state, reason = excluded.reason, version = excluded.version,
			set_at = excluded.set_at, verified_at = excluded.verified_at, due_at = excluded.due_at,
			reminded_at = excluded.reminded_at, pending_value = excluded.pending_value,
			pending_index = excluded.pending_index, pending_line = excluded.pending_line, pending_at = excluded.pending_at`,
		accountID, r.slot, r.value, r.index, r.line, string(r.state), string(r.reason), r.version, r.setAt, orNull(r.verifiedAt),
		orNull(r.dueAt), orNull(r.remindedAt), r.pendingValue, r.pendingIndex, r.pendingLine, orNull(r.pendingAt))
}

func orNull(us int64) any {
	if us == 0 {
		return nil
	}
	return us
}

// open makes a Contact of the row.
func (r *record) open(acc account.Account) (k Contact, err error) {
	slot, err := ParseSlot(r.slot)
	if err != nil {
		return k, err
	}
	k = Contact{
		Account: acc.ID, Slot: slot, State: r.state, Reason: r.reason, Version: r.version, Line: address.LineType(r.line),
		SetAt: store.Time(r.setAt),
	}
	if k.Value, err = openValue(acc, slot, r.value); err != nil {
		return k, err
	}
	k.Phone.Line = k.Line
	if r.verifiedAt != 0 {
		k.VerifiedAt, k.DueAt = store.Time(r.verifiedAt), store.Time(r.dueAt)
	}
	if r.pending() {
		p := Pending{At: store.Time(r.pendingAt)}
		p.Value, err = openValue(acc, slot, r.pendingValue)
		k.Pending = &p
	}
	return k, err
}

// place is where a slot's value is sealed for. A pending one is sealed for it too, so that it takes its place as it is.
func place(accountID, slot string) seal.Place {
	return seal.Place{Table: "contact", Row: accountID + "/" + slot, Column: "value"}
}

func openValue(acc account.Account, slot Slot, sealed []byte) (v Value, err error) {
	text, err := acc.Key.Open(place(acc.ID, slot.String()), sealed)
	if err == nil {
		v, err = readStored(slot.Kind(), string(text))
	}
	if err != nil {
		return v, fmt.Errorf("account %s: contact %s: %w", acc.ID, slot, err)
	}
	return v, nil
}
