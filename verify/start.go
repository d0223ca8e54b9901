package verify

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/ratelimit"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

// Start begins a verification of the value in a slot (the pending one while a change waits) and sends its first
// code or link, all in the caller's transaction. Faults: those of contact.Target, method-unknown, method-not-for-slot,
// no-sms-on-this-line, channel-unavailable, resend-too-soon and too-many-messages (with the time to wait),
// slot-locked.
func (v *Verifier) Start(ctx context.Context, tx *store.Tx, account string, slot contact.Slot, method Method, actor string) (Verification, error) {
	target, err := v.o.Contacts.Target(ctx, tx, account, slot)
	if err != nil {
		return Verification{}, err
	}
	if err := v.allows(target, method); err != nil {
		return Verification{}, err
	}
	m := v.newMessage(tx, target, method, store.NewID(tx.Now()))
	seat, err := v.takeSeat(ctx, tx, m)
	if err != nil {
		return Verification{}, err
	}
	if err := v.spend(ctx, tx, m, seat.proved); err != nil {
		return Verification{}, err
	}
	if seat.previous != "" {
		tx.Later("UPDATE verification SET state = 'superseded', ended_at = $1 WHERE verification_id = $2 AND state = 'pending'",
			store.Micros(tx.Now()), seat.previous)
		v.happened(tx, "verification.superseded", m, seat.previous, actor)
	}
	sent, err := v.send(tx, m)
	if err != nil {
		return Verification{}, err
	}
	tx.LaterRow(`INSERT INTO verification (account_id, verification_id, slot, method, state, contact_version, target_index,
		delivery_id, started_at, expires_at, tokens) VALUES`,
		account, m.id, slot.String(), string(method), string(Pending), target.Version, target.Index,
		sent.DeliveryID, store.Micros(tx.Now()), store.Micros(m.expires), v.tokens(nil, m))
	v.happened(tx, "verification.started", m, m.id, actor)
	return Verification{
		ID: m.id, Account: account, Slot: slot, State: Pending, Method: method, StartedAt: tx.Now(),
		ExpiresAt: m.expires, ResendAfter: seat.next, GuessesLeft: v.o.Limits.Guesses, Delivery: string(deliver.StateQueued),
	}, nil
}

// proves is what each method proves.
var proves = map[Method]contact.Kind{Code: contact.Email, Link: contact.Email, SMS: contact.Phone}

// allows checks that a method can prove what stands in the slot and that something can carry its message.
func (v *Verifier) allows(t contact.Target, method Method) error {
	kind, known := proves[method]
	switch {
	case !known:
		return fault.New(fault.Invalid, "method-unknown").At("method")
	case kind != t.Contact.Slot.Kind():
		return fault.New(fault.Invalid, "method-not-for-slot").At("method")
	case method == SMS && !t.Phone.CanSMS():
		return fault.New(fault.Invalid, "no-sms-on-this-line").At("method")
	case !v.o.HasRoute(channel(method)):
		return fault.New(fault.Invalid, "channel-unavailable").At("method")
	}
	return nil
}

func channel(m Method) string {
	if m == SMS {
		return deliver.SMS
	}
	return deliver.Email
}

// message is a code, or a link and its code, on its way to a target.
type message struct {
	id      string // of the verification
	target  contact.Target
	method  Method
	token   token // of the link; it goes in the code's place
	code    string
	hash    []byte
	expires time.Time
}

func (v *Verifier) newMessage(tx *store.Tx, t contact.Target, method Method, id string) message {
	m := message{id: id, target: t, method: method, expires: tx.Now().Add(v.o.Limits.life(method))}
	if method == Link {
		m.token = newToken(id)
		m.code = m.token.code(v.o.Keys)
	} else {
		m.code = newCode()
	}
	m.hash = hashCode(v.o.Keys, id, m.code)
	return m
}

// tokens are a verification's live ones with that of a message; nil where the method sends none.
func (v *Verifier) tokens(live []byte, m message) []byte {
	if m.token == "" {
		return nil
	}
	return addLive(live, m.token.hash(v.o.Keys), m.expires)
}

// seat is a slot's place for the one verification in progress.
type seat struct {
	previous string // the verification that had it
	next     time.Time
	proved   bool // this account verified this destination before
}

// takeSeat gives the slot to a new verification unless it is locked or cooling down. The row is taken by one
// statement, so of several starts at once one succeeds.
func (v *Verifier) takeSeat(ctx context.Context, tx *store.Tx, m message) (seat, error) {
	l := v.o.Limits
	var s seat
	var next int64
	err := tx.QueryRow(ctx, takeSeatQuery, m.target.Account.ID, m.target.Contact.Slot.String(), m.id,
		addLive(nil, m.hash, m.expires), store.Micros(m.expires), store.Micros(tx.Now()),
		l.CoolDown.Microseconds(), l.CoolDownMax.Microseconds(), l.Quiet.Microseconds(), l.LockAfter, m.target.Index, m.target.Version).
		Scan(&s.previous, &next, &s.proved)
	if errors.Is(err, store.ErrNoRows) {
		return s, v.refuseSeat(ctx, tx, m.target.Account.ID, m.target.Contact.Slot)
	}
	s.next = store.Time(next)
	return s, err
}

// The cool-down after the n-th message in a run is its first length doubled n-1 times, up to its greatest. The
// run begins anew after a quiet time.
const takeSeatQuery = `INSERT INTO verification_slot AS s (account_id, slot, verification_id, previous_id, contact_version, codes, expires_at,
		guesses, messages, wrong_run, message_run, next_at)
	VALUES ($1, $2, $3, '', $12, $4, $5, 0, 1, 0, 1, CAST($6 AS BIGINT) + CAST($7 AS BIGINT))
	ON CONFLICT (account_id, slot) DO UPDATE SET
		previous_id = s.verification_id, verification_id = excluded.verification_id,
		contact_version = excluded.contact_version, codes = excluded.codes, expires_at = excluded.expires_at, guesses = 0, messages = 1,
		message_run = ` + nextRun + `, next_at = ` + nextAt + `
	WHERE s.next_at <= $6 AND s.wrong_run < $10
	RETURNING previous_id, next_at,
		EXISTS (SELECT 1 FROM verification v WHERE v.account_id = $1 AND v.target_index = $11 AND v.state = 'verified')`

const (
	nextRun = `CASE WHEN s.next_at + $9 <= $6 THEN 1 ELSE s.message_run + 1 END`
	nextAt  = `$6 + CASE
		WHEN s.next_at + $9 <= $6 THEN $7
		WHEN s.message_run >= 20 OR CAST($7 AS BIGINT) * (1 << CAST(s.message_run AS INTEGER)) > $8 THEN $8
		ELSE CAST($7 AS BIGINT) * (1 << CAST(s.message_run AS INTEGER)) END`
)

// refuseSeat says why a slot could not be taken.
func (v *Verifier) refuseSeat(ctx context.Context, tx *store.Tx, account string, slot contact.Slot) error {
	var wrong, next int64
	err := tx.QueryRow(ctx, "SELECT wrong_run, next_at FROM verification_slot WHERE account_id = $1 AND slot = $2",
		account, slot.String()).Scan(&wrong, &next)
	switch {
	case err != nil:
		return err
	case wrong >= int64(v.o.Limits.LockAfter):
		return fault.New(fault.Conflict, "slot-locked")
	}
	return tooSoon(store.Time(next).Sub(tx.Now()))
}

func tooSoon(wait time.Duration) error {
	return fault.New(fault.TooMany, "resend-too-soon", seconds(wait)).After(wait)
}

// seconds rounds a pause up, so that who waits that long has waited enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// spend counts the message against the slot's day and the destination's. Whoever has verified a destination has
// an allowance of its own there, so strangers cannot use it up.
func (v *Verifier) spend(ctx context.Context, tx *store.Tx, m message, proved bool) error {
	account, slot := m.target.Account.ID, m.target.Contact.Slot.String()
	destination := v.o.Keys.MAC("limit-destination", string(m.target.Index))
	if proved {
		destination = v.o.Keys.MAC("limit-destination-own", string(m.target.Index), account)
	}
	day := 24 * time.Hour
	wait, err := ratelimit.Take(ctx, tx,
		ratelimit.Limit{Key: v.o.Keys.MAC("limit-slot", account, slot), Max: v.o.Limits.SlotADay, Window: day},
		ratelimit.Limit{Key: destination, Max: v.o.Limits.DestinationDay, Window: day})
	if err == nil && wait > 0 {
		err = fault.New(fault.TooMany, "too-many-messages").After(wait)
	}
	return err
}

// send puts the message on record and on its way. A link's holds its token alone: whoever reads the mail in the
// owner's place, a scanner above all, finds no code in it.
func (v *Verifier) send(tx *store.Tx, m message) (notice.Sent, error) {
	n := notice.Notice{
		Account: m.target.Account, Class: notice.ClassCode, Template: notice.VerifyEmail, Slot: m.target.Contact.Slot.String(),
		Channel: channel(m.method), To: m.target.Email.String(), Index: m.target.Index,
		Secrets: map[string]string{"code": m.code}, ExpiresAt: m.expires,
	}
	switch m.method {
	case Link:
		n.Template, n.Secrets = notice.VerifyEmailLink, map[string]string{"token": string(m.token)}
	case SMS:
		n.Template, n.To, n.Country = notice.VerifyPhone, m.target.Phone.E164, m.target.Phone.Country
	case Code:
	}
	return v.o.Notices.Send(tx, n)
}

func (v *Verifier) happened(tx *store.Tx, name string, m message, id, actor string) {
	event.Append(tx, event.Event{
		Type: name, Account: m.target.Account.ID, Subject: id, Actor: actor,
		Body: map[string]any{"slot": m.target.Contact.Slot.String(), "method": string(m.method)},
	})
}
