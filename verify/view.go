package verify

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
)

// Get returns a verification as it stands. Fault: unknown-verification.
func (v *Verifier) Get(ctx context.Context, tx *store.Tx, id string) (Verification, error) {
	p, err := v.progress(ctx, tx, id)
	if err != nil {
		return Verification{}, err
	}
	delivery, err := deliver.Get(ctx, tx, p.account, p.deliveryID)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return Verification{}, err
	}
	out := Verification{
		ID: id, Account: p.account, Slot: p.slot, State: p.state, Method: p.method,
		StartedAt: p.startedAt, ExpiresAt: p.expiresAt, Delivery: string(delivery.State),
	}
	switch {
	case p.state == Pending && !p.expiresAt.After(tx.Now()):
		out.State = Expired // the sweep has not been here yet
	case p.state == Pending && p.seated:
		out.ResendAfter, out.GuessesLeft = p.nextAt, v.left(p.guesses)
	}
	if out.State == Pending && out.GuessesLeft == 0 {
		out.State = Exhausted
	}
	return out, nil
}

// Unlock lets a slot be verified again after too many wrong guesses in a row. Fault: not-locked.
func (v *Verifier) Unlock(ctx context.Context, tx *store.Tx, account string, slot contact.Slot, actor string) error {
	n, err := tx.Exec(ctx, "UPDATE verification_slot SET wrong_run = 0 WHERE account_id = $1 AND slot = $2 AND wrong_run >= $3",
		account, slot.String(), v.o.Limits.LockAfter)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "not-locked")
	}
	event.Append(tx, event.Event{
		Type: "contact.unlocked", Account: account, Subject: slot.String(), Actor: actor,
		Body: map[string]any{"slot": slot.String()},
	})
	return nil
}

// Erase removes an account's verifications that were started before a time. The count of wrong guesses and the
// cool-down stay: they hold nothing of a person, and an id that comes back must not find its limits reset.
func Erase(ctx context.Context, tx *store.Tx, account string, before time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE verification_slot SET verification_id = '', previous_id = '', codes = $1
		WHERE account_id = $2 AND verification_id IN (
			SELECT verification_id FROM verification WHERE account_id = $2 AND started_at < $3)`,
		[]byte{}, account, store.Micros(before))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM verification WHERE account_id = $1 AND started_at < $2", account, store.Micros(before))
	return err
}
