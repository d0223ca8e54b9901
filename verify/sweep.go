package verify

import (
	"context"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

const overdueQuery = `SELECT account_id, verification_id, slot FROM verification
	WHERE state = 'pending' AND expires_at <= $1 ORDER BY expires_at LIMIT $2`

// SweepExpired ends verifications whose time is over, at most limit of them, and returns how many it found.
func (v *Verifier) SweepExpired(ctx context.Context, limit int) (int, error) {
	found := 0
	err := v.o.DB.Write(ctx, func(tx *store.Tx) error {
		overdue, err := v.overdue(ctx, tx, limit)
		if err != nil {
			return err
		}
		found = len(overdue)
		for _, g := range overdue {
			if err := v.expire(ctx, tx, g); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

func (v *Verifier) overdue(ctx context.Context, tx *store.Tx, limit int) ([]guess, error) {
	rows, err := tx.Query(ctx, overdueQuery, store.Micros(tx.Now()), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var overdue []guess
	for rows.Next() {
		var g guess
		var slot string
		if err := rows.Scan(&g.account, &g.id, &slot); err != nil {
			return nil, err
		}
		if g.slot, err = contact.ParseSlot(slot); err != nil {
			return nil, err
		}
		overdue = append(overdue, g)
	}
	return overdue, rows.Err()
}

// expire ends one, unless a resend has just given it more time.
func (v *Verifier) expire(ctx context.Context, tx *store.Tx, g guess) error {
	now := store.Micros(tx.Now())
	if _, err := tx.Exec(ctx, `UPDATE verification_slot SET verification_id = '', codes = $1
		WHERE account_id = $2 AND slot = $3 AND verification_id = $4 AND expires_at <= $5`,
		[]byte{}, g.account, g.slot.String(), g.id, now); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE verification SET state = 'expired', ended_at = $1
		WHERE account_id = $2 AND verification_id = $3 AND state = 'pending' AND expires_at <= $1`, now, g.account, g.id)
	if err == nil && n == 1 {
		event.Append(tx, event.Event{
			Type: "verification.expired", Account: g.account, Subject: g.id, Actor: event.System,
			Body: map[string]any{"slot": g.slot.String()},
		})
	}
	return err
}
