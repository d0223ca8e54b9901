package verify

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/digits"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// Around joins a caller's own statements to the transactions of Check, such as what it keeps of an idempotent
// request. The zero value does nothing.
type Around struct {
	Count  func(ctx context.Context, tx *store.Tx) error            // runs in the transaction that counts the guess
	Settle func(ctx context.Context, tx *store.Tx, err error) error // runs in the one that ends it; err is the answer
}

// Check compares a code with those of a verification and, if one is right, marks the contact as verified. It
// makes its own transactions: the first commits the count of the guess before anything is compared, the second
// consumes the code. Faults: code-malformed (not counted), unknown-verification, incorrect-code with
// guesses_left, too-many-guesses, slot-locked, already-used, superseded, contact-changed, expired.
func (v *Verifier) Check(ctx context.Context, id, typed, actor string, around Around) error {
	code, ok := digits.Read(typed, codeDigits)
	if !ok {
		return fault.New(fault.Invalid, "code-malformed").At("code")
	}
	g, err := v.count(ctx, id, around)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // a guess that was counted is settled, though the caller may have gone
	if expires, found := findLive(v.o.Keys, g.codes, hashCode(v.o.Keys, id, code)); found && expires.After(g.at) {
		return v.consume(ctx, g, actor, around)
	}
	return v.wrong(ctx, g, actor, around)
}

// guess is a counted guess, or a link, which is not counted.
type guess struct {
	id       string
	account  string
	slot     contact.Slot
	version  int64 // of the contact that the verification is about
	codes    []byte
	guesses  int
	wrongRun int
	at       time.Time
	byLink   bool
}

// count commits one guess, or says why the verification takes none.
func (v *Verifier) count(ctx context.Context, id string, around Around) (g guess, err error) {
	if around.Count == nil {
		g = guess{id: id, at: v.o.DB.Now()}
		var slot string
		err = v.o.DB.WriteRow(ctx, countQuery, v.countArgs(g), g.dest(&slot)...)
		if errors.Is(err, store.ErrNoRows) {
			// In a Write: on SQLite, what refused the guess may not be visible to a reader yet.
			err = v.o.DB.Write(ctx, func(tx *store.Tx) error { return v.refuseGuess(ctx, tx, id) })
		}
		return g.in(slot, err)
	}
	err = v.o.DB.Write(ctx, func(tx *store.Tx) error {
		g = guess{id: id, at: tx.Now()}
		if err := around.Count(ctx, tx); err != nil {
			return err
		}
		var slot string
		err := tx.QueryRow(ctx, countQuery, v.countArgs(g)...).Scan(g.dest(&slot)...)
		if errors.Is(err, store.ErrNoRows) {
			err = v.refuseGuess(ctx, tx, id)
		}
		g, err = g.in(slot, err)
		return err
	})
	return g, err
}

const countQuery = `UPDATE verification_slot SET guesses = guesses + 1, wrong_run = wrong_run + 1
	WHERE (account_id, slot) = (SELECT account_id, slot FROM verification WHERE verification_id = $1)
		AND verification_id = $1 AND guesses < $2 AND wrong_run < $3 AND expires_at > $4
	RETURNING account_id, slot, contact_version, codes, guesses, wrong_run`

func (v *Verifier) countArgs(g guess) []any {
	return []any{g.id, v.o.Limits.Guesses, v.o.Limits.LockAfter, store.Micros(g.at)}
}

func (g *guess) dest(slot *string) []any {
	return []any{&g.account, slot, &g.version, &g.codes, &g.guesses, &g.wrongRun}
}

// in completes a guess that was counted, without err, in a slot.
func (g guess) in(slot string, err error) (guess, error) {
	if err == nil {
		g.slot, err = contact.ParseSlot(slot)
	}
	return g, err
}

// refuseGuess says why a verification takes no guess.
func (v *Verifier) refuseGuess(ctx context.Context, tx *store.Tx, id string) error {
	p, err := v.progress(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := v.ended(p, tx.Now()); err != nil {
		return err
	}
	if p.wrongRun >= v.o.Limits.LockAfter {
		return fault.New(fault.Conflict, "slot-locked")
	}
	return fault.New(fault.TooMany, "too-many-guesses")
}

// ended is the answer to whoever comes too late for a verification; nil while it is open.
func (v *Verifier) ended(p progress, now time.Time) error {
	switch p.state {
	case Verified:
		return fault.New(fault.Conflict, "already-used")
	case Superseded:
		return fault.New(fault.Conflict, "superseded")
	case ContactChanged:
		return fault.New(fault.Conflict, "contact-changed")
	case Exhausted:
		return fault.New(fault.TooMany, "too-many-guesses")
	case Expired:
		return fault.New(fault.Gone, "expired")
	case Pending:
	}
	switch {
	case p.guesses >= v.o.Limits.Guesses:
		return fault.New(fault.TooMany, "too-many-guesses")
	case !p.expiresAt.After(now):
		return fault.New(fault.Gone, "expired")
	}
	return nil
}

// consume uses the code up and marks the contact. Of several right guesses at once, one finds the seat still there;
// the transactions of the others fail, and they are told what became of the verification.
func (v *Verifier) consume(ctx context.Context, g guess, actor string, around Around) error {
	var answer error
	err := v.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if answer, err = v.settle(ctx, tx, g, actor); err != nil || around.Settle == nil {
			return err
		}
		return around.Settle(ctx, tx, answer)
	})
	if errors.Is(err, errSeatGone) {
		err = v.o.DB.Write(ctx, func(tx *store.Tx) error {
			if answer = v.refuseGuess(ctx, tx, g.id); around.Settle == nil {
				return nil
			}
			return around.Settle(ctx, tx, answer)
		})
	}
	if err != nil {
		return err
	}
	return answer
}

// errSeatGone says that the verification no longer has its slot, or takes no link in it.
var errSeatGone = errors.New("verify: the verification has left its seat")

// settle marks the contact first, so that the runs of guesses and messages begin anew only where something was proved.
func (v *Verifier) settle(ctx context.Context, tx *store.Tx, g guess, actor string) (answer, err error) {
	marked, err := v.o.Contacts.MarkVerified(ctx, tx, g.account, g.slot, g.version, actor)
	if err != nil {
		return nil, err
	}
	mine, err := v.leaveSeat(ctx, tx, g, marked)
	if err != nil {
		return nil, err
	}
	if !mine {
		return nil, errSeatGone
	}
	if !marked {
		v.end(tx, g, ContactChanged, actor)
		return fault.New(fault.Conflict, "contact-changed"), nil
	}
	v.end(tx, g, Verified, actor)
	return nil, nil
}

// leaveSeat ends the verification's hold on its slot, if it still has it. A counted guess has had its turn; a link may
// come when the guesses are used up, and ends nothing then. A proof begins a new run of guesses and messages; without
// one both runs stay.
func (v *Verifier) leaveSeat(ctx context.Context, tx *store.Tx, g guess, proved bool) (mine bool, err error) {
	runs := ""
	if proved {
		runs = ", wrong_run = 0, message_run = 0"
	}
	n, err := tx.Exec(ctx, "UPDATE verification_slot SET verification_id = '', codes = $1"+runs+
		" WHERE account_id = $2 AND slot = $3 AND verification_id = $4 AND (NOT $5 OR guesses < $6 AND wrong_run < $7)",
		[]byte{}, g.account, g.slot.String(), g.id, g.byLink, v.o.Limits.Guesses, v.o.Limits.LockAfter)
	return n == 1, err
}

// end writes down how a verification ended; one that ended before stays as it is.
func (v *Verifier) end(tx *store.Tx, g guess, state State, actor string) {
	tx.Later("UPDATE verification SET state = $1, ended_at = $2 WHERE account_id = $3 AND verification_id = $4 AND state = 'pending'",
		string(state), store.Micros(tx.Now()), g.account, g.id)
	event.Append(tx, event.Event{
		Type: "verification." + string(state), Account: g.account, Subject: g.id, Actor: actor,
		Body: map[string]any{"slot": g.slot.String()},
	})
}

// wrong answers a guess that matched nothing. The last guess of a verification ends it, and the last in a row
// that a slot bears locks the slot (the count itself is the lock; the event tells of it).
func (v *Verifier) wrong(ctx context.Context, g guess, actor string, around Around) error {
	changed, err := v.changed(ctx, g)
	if err != nil {
		return err
	}
	answer := error(fault.New(fault.Invalid, "incorrect-code", v.left(g.guesses)).At("code").With("guesses_left", v.left(g.guesses)))
	if changed {
		answer = fault.New(fault.Conflict, "contact-changed")
	}
	exhausted, locked := v.left(g.guesses) == 0, g.wrongRun >= v.o.Limits.LockAfter
	if !changed && !exhausted && !locked && around.Settle == nil {
		return answer
	}
	err = v.o.DB.Write(ctx, func(tx *store.Tx) error {
		if changed || exhausted {
			if err := v.giveUp(ctx, tx, g, changed, actor); err != nil {
				return err
			}
		}
		if locked {
			event.Append(tx, event.Event{
				Type: "contact.locked", Account: g.account, Subject: g.slot.String(), Actor: actor,
				Body: map[string]any{"slot": g.slot.String(), "wrong_guesses": g.wrongRun},
			})
		}
		if around.Settle == nil {
			return nil
		}
		return around.Settle(ctx, tx, answer)
	})
	if err != nil {
		return err
	}
	return answer
}

func (v *Verifier) giveUp(ctx context.Context, tx *store.Tx, g guess, changed bool, actor string) error {
	mine, err := v.leaveSeat(ctx, tx, g, false)
	if err != nil || !mine {
		return err
	}
	state := Exhausted
	if changed {
		state = ContactChanged
	}
	v.end(tx, g, state, actor)
	return nil
}

// changed tells whether the contact is another than the one that the verification is about.
func (v *Verifier) changed(ctx context.Context, g guess) (changed bool, err error) {
	err = v.o.DB.Read(ctx, func(tx *store.Tx) error {
		version, err := v.o.Contacts.Version(ctx, tx, g.account, g.slot)
		changed = version != g.version
		return err
	})
	return changed, err
}

func (v *Verifier) left(guesses int) int { return max(0, v.o.Limits.Guesses-guesses) }
