package verify

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
)

// Resend sends another code or link for a pending verification; the newest three work. Faults: those of a verification
// that has ended, resend-too-soon and too-many-messages (without a time to wait once the verification's own
// messages are used up: the way on is a new start), slot-locked, contact-changed.
func (v *Verifier) Resend(ctx context.Context, tx *store.Tx, id, actor string) (Verification, error) {
	now, err := v.progress(ctx, tx, id)
	if err != nil {
		return Verification{}, err
	}
	if err := v.mayResend(now, tx.Now()); err != nil {
		return Verification{}, err
	}
	target, err := v.o.Contacts.Target(ctx, tx, now.account, now.slot)
	if err != nil {
		return Verification{}, err
	}
	if target.Version != now.version {
		return Verification{}, fault.New(fault.Conflict, "contact-changed")
	}
	m := v.newMessage(tx, target, now.method, id)
	next, err := v.keepSeat(ctx, tx, m, now)
	if err != nil {
		return Verification{}, err
	}
	if err := v.spend(ctx, tx, m, now.proved); err != nil {
		return Verification{}, err
	}
	sent, err := v.send(tx, m)
	if err != nil {
		return Verification{}, err
	}
	tx.Later("UPDATE verification SET expires_at = $1, delivery_id = $2, tokens = $3 WHERE account_id = $4 AND verification_id = $5",
		store.Micros(m.expires), sent.DeliveryID, v.tokens(now.tokens, m), now.account, id)
	v.happened(tx, "verification.resent", m, id, actor)
	return Verification{
		ID: id, Account: now.account, Slot: now.slot, State: Pending, Method: now.method, StartedAt: now.startedAt,
		ExpiresAt: m.expires, ResendAfter: next, GuessesLeft: v.left(now.guesses), Delivery: string(deliver.StateQueued),
	}, nil
}

// progress is a verification with what its slot knows of it.
type progress struct {
	account   string
	slot      contact.Slot
	method    Method
	state     State
	version   int64
	tokens    []byte
	startedAt time.Time
	expiresAt time.Time
	codes     []byte
	guesses   int
	messages  int
	wrongRun  int
	nextAt    time.Time
	proved    bool
}

func (v *Verifier) progress(ctx context.Context, tx *store.Tx, id string) (progress, error) {
	var p progress
	var slot string
	var started, expires, next int64
	err := tx.QueryRow(ctx, progressQuery, id).
		Scan(&p.account, &slot, (*string)(&p.method), (*string)(&p.state), &p.version, &p.tokens,
			&started, &expires, &p.codes, &p.guesses, &p.messages, &p.wrongRun, &next, &p.proved)
	if errors.Is(err, store.ErrNoRows) {
		return p, fault.New(fault.NotFound, "unknown-verification")
	}
	if err != nil {
		return p, err
	}
	p.startedAt, p.expiresAt, p.nextAt = store.Time(started), store.Time(expires), store.Time(next)
	p.slot, err = contact.ParseSlot(slot)
	return p, err
}

const progressQuery = `SELECT v.account_id, v.slot, v.method, v.state, v.contact_version, v.tokens,
		v.started_at, v.expires_at, s.codes, s.guesses, s.messages, s.wrong_run, s.next_at,
		EXISTS (SELECT 1 FROM verification w WHERE w.account_id = v.account_id AND w.target_index = v.target_index AND w.state = 'verified')
	FROM verification v JOIN verification_slot s ON s.account_id = v.account_id AND s.slot = v.slot
	WHERE v.verification_id = $1`

// mayResend says why not, if not.
func (v *Verifier) mayResend(p progress, now time.Time) error {
	switch {
	case p.wrongRun >= v.o.Limits.LockAfter:
		return fault.New(fault.Conflict, "slot-locked")
	case v.ended(p, now) != nil:
		return v.ended(p, now)
	case p.messages >= v.o.Limits.Messages:
		return fault.New(fault.TooMany, "too-many-messages")
	case p.nextAt.After(now):
		return tooSoon(p.nextAt.Sub(now))
	}
	return nil
}

// keepSeat adds the code to the slot. The guard on the number of messages makes one of several resends at once
// win; the others, and whoever comes after the verification has ended, are told what holds now.
func (v *Verifier) keepSeat(ctx context.Context, tx *store.Tx, m message, p progress) (time.Time, error) {
	l := v.o.Limits
	var next int64
	err := tx.QueryRow(ctx, `UPDATE verification_slot AS s SET codes = $1, expires_at = $2, messages = messages + 1,
			message_run = `+nextRun+`, next_at = `+nextAt+`
		WHERE account_id = $3 AND slot = $4 AND verification_id = $5 AND messages = $10 AND s.next_at <= $6
			AND guesses < $11 AND wrong_run < $12
		RETURNING next_at`,
		addLive(p.codes, m.hash, m.expires), store.Micros(m.expires), p.account, p.slot.String(), m.id, store.Micros(tx.Now()),
		l.CoolDown.Microseconds(), l.CoolDownMax.Microseconds(), l.Quiet.Microseconds(), p.messages, l.Guesses, l.LockAfter).Scan(&next)
	if errors.Is(err, store.ErrNoRows) {
		now, err := v.progress(ctx, tx, m.id)
		if err == nil {
			err = v.mayResend(now, tx.Now())
		}
		if err == nil { // it is free again: whoever took it has failed
			err = tooSoon(time.Second)
		}
		return time.Time{}, err
	}
	return store.Time(next), err
}
