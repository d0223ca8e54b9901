package contact

import (
	"context"
	"strconv"
	"strings"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
)

const agedColumns = "account_id, slot, version, due_at"

const (
	dueQuery = "SELECT " + agedColumns + " FROM contact WHERE state = 'verified' AND due_at <= $1 ORDER BY due_at LIMIT $2"

	expireQuery = `UPDATE contact SET state = 'needs_update', reason = 'expired'
		WHERE state = 'verified' AND due_at <= $1 AND (account_id, slot) IN `

	remindQuery = `UPDATE contact SET reminded_at = $1 WHERE state = 'verified' AND reminded_at IS NULL AND (account_id, slot) IN (
			SELECT account_id, slot FROM contact WHERE state = 'verified' AND reminded_at IS NULL AND due_at > $1 AND due_at <= $2
			ORDER BY due_at LIMIT $3)
		RETURNING ` + agedColumns
)

// SweepExpired gives the state needs_update, expired to verified contacts whose proof has grown old, at most limit (up
// to 5,000) of them in one transaction, and returns how many there were. The value stays.
//
// Events: contact.needs_update with the reason expired.
func (c *Contacts) SweepExpired(ctx context.Context, db *store.DB, limit int) (n int, err error) {
	err = db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		due, err := collectAged(tx.Query(ctx, dueQuery, store.Micros(tx.Now()), limit))
		if err != nil || len(due) == 0 {
			return err
		}
		args := []any{due[len(due)-1].dueAt} // not now: of a long arrear only this batch is looked at
		for _, a := range due {              // accounts first, as everybody takes them
			c.o.Accounts.Touch(tx, a.accountID)
			args = append(args, a.accountID, a.slot.String())
		}
		expired, err := collectAged(tx.Query(ctx, expireQuery+pairs(2, len(due))+" RETURNING "+agedColumns, args...))
		for _, a := range expired {
			tellReason(tx, a.accountID, a.slot, "contact.needs_update", a.version, Expired, event.System)
		}
		n = len(expired)
		return err
	})
	return n, err
}

// SweepReminders finds verified contacts whose proof will soon have grown old, each once, at most limit in one
// transaction, and returns how many there were.
//
// Events: contact.expiring with due_at.
func (c *Contacts) SweepReminders(ctx context.Context, db *store.DB, limit int) (n int, err error) {
	err = db.Write(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		expiring, err := collectAged(tx.Query(ctx, remindQuery, store.Micros(now), store.Micros(now.Add(c.o.RemindBefore)), limit))
		for _, a := range expiring {
			teller{tx, a.accountID, a.slot, event.System}.happened("contact.expiring",
				map[string]any{"version": a.version, "due_at": store.Time(a.dueAt).Format(time.RFC3339Nano)})
		}
		n = len(expiring)
		return err
	})
	return n, err
}

// aged is a contact that a sweep found.
type aged struct {
	accountID string
	slot      Slot
	version   int64
	dueAt     int64
}

func collectAged(rows *store.Rows, err error) ([]aged, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []aged
	for rows.Next() {
		var a aged
		var slot string
		if err := rows.Scan(&a.accountID, &slot, &a.version, &a.dueAt); err != nil {
			return nil, err
		}
		if a.slot, err = ParseSlot(slot); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// pairs is a list of n pairs of placeholders, the first of which is $first.
func pairs(first, n int) string {
	var b strings.Builder
	b.WriteString("(VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("($" + strconv.Itoa(first+2*i) + ", $" + strconv.Itoa(first+2*i+1) + ")")
	}
	b.WriteString(")")
	return b.String()
}
