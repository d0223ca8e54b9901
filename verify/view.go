package verify

import (
	"context"
	"errors"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
)

// Get returns a verification as it stands. Fault: unknown-verification.
func (v *Verifier) Get(ctx context.Context, tx *store.Tx, id string) (Verification, error) {
	r, err := v.look(tx.QueryRow(ctx, getQuery, id).Scan, tx.Now())
	return r.Verification, err
}

// ForHolder returns a verification of an account as it stands, for its own eyes. Fault: unknown-verification, also for
// that of another account.
func (v *Verifier) ForHolder(ctx context.Context, tx *store.Tx, acc account.Account, id string) (Verification, error) {
	r, err := v.look(tx.QueryRow(ctx, forHolderQuery, id, acc.ID).Scan, tx.Now())
	if err != nil {
		return Verification{}, err
	}
	return r.withWords(acc.Key)
}

// Pending returns the verifications of an account that can still prove something, by slot, in one statement.
func (v *Verifier) Pending(ctx context.Context, tx *store.Tx, acc account.Account) (map[contact.Slot]Verification, error) {
	rows, err := tx.Query(ctx, pendingQuery, acc.ID, store.Micros(tx.Now()), v.o.Limits.Guesses, v.o.Limits.LockAfter)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	pending := map[contact.Slot]Verification{}
	for rows.Next() {
		r, err := v.look(rows.Scan, tx.Now())
		if err != nil {
			return nil, err
		}
		if pending[r.Slot], err = r.withWords(acc.Key); err != nil {
			return nil, err
		}
	}
	return pending, rows.Err()
}

// What is seen of a verification v, its slot s and the delivery d of its last message.
const (
	seen = `SELECT v.account_id, v.verification_id, v.slot, v.method, v.state, v.started_at, v.expires_at,
		s.verification_id = v.verification_id, s.guesses, s.next_at, v.delivery_id, COALESCE(d.state, ''), COALESCE(d.attempts, 0),
		COALESCE(d.done_at, d.due_at, 0), d.words, v.contact_version`
	lastDelivery = ` LEFT JOIN delivery d ON d.account_id = v.account_id AND d.delivery_id = v.delivery_id`

	getQuery = seen + ` FROM verification v JOIN verification_slot s ON s.account_id = v.account_id AND s.slot = v.slot` + lastDelivery +
		` WHERE v.verification_id = $1`
	forHolderQuery = getQuery + ` AND v.account_id = $2`
	pendingQuery   = seen + ` FROM verification_slot s
		JOIN verification v ON v.account_id = s.account_id AND v.verification_id = s.verification_id` + lastDelivery + `
		WHERE s.account_id = $1 AND v.state = 'pending' AND v.expires_at > $2 AND s.guesses < $3 AND s.wrong_run < $4`
)

// row is a verification with what its account alone may open.
type row struct {
	Verification
	deliveryID string
	words      []byte
}

// look reads a row of seen.
func (v *Verifier) look(scan func(...any) error, now time.Time) (r row, err error) {
	var slot string
	var started, expires, next, tried int64
	var seated bool
	var guesses int
	err = scan(&r.Account, &r.ID, &slot, (*string)(&r.Method), (*string)(&r.State), &started, &expires,
		&seated, &guesses, &next, &r.deliveryID, &r.Delivery, &r.Attempts,
		&tried, &r.words, &r.Version)
	if errors.Is(err, store.ErrNoRows) {
		return r, fault.New(fault.NotFound, "unknown-verification")
	}
	if err != nil {
		return r, err
	}
	r.StartedAt, r.ExpiresAt, r.DeliveryAt = store.Time(started), store.Time(expires), store.Time(tried)
	switch {
	case r.State == Pending && !r.ExpiresAt.After(now):
		r.State = Expired // the sweep has not been here yet
	case r.State == Pending && seated:
		r.ResendAfter, r.GuessesLeft = store.Time(next), v.left(guesses)
	}
	if r.State == Pending && r.GuessesLeft == 0 {
		r.State = Exhausted
	}
	r.Slot, err = contact.ParseSlot(slot)
	return r, err
}

func (r row) withWords(key seal.DataKey) (Verification, error) {
	words, err := deliver.OpenWords(key, r.deliveryID, r.words)
	r.Words = words
	return r.Verification, err
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
