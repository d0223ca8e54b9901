package main

import (
	"bytes"
	"time"

	"countersign.dev/base/store"
)

// The statements of a verification as the program makes them, one for one and commit for commit, with values of the same size. What the
// program shares under load (one record and one commit for several) is not shared here.

// transaction is statements that go to the database together. The commit of a relaxed one does not wait for PostgreSQL's disk.
type transaction struct {
	relaxed bool
	calls   []call
}

type call struct {
	sql  string
	args []any
}

// sealed stands for what the program encrypts: about as long, and of no meaning.
var sealed = bytes.Repeat([]byte{0x5a}, 64)

// shape is one verification. The account's id is that of everything that there is one of.
type shape struct {
	id                     string
	now                    int64
	keys                   [2][]byte
	started, sent, checked [2]string // ids of events
}

func newShape(id string, at time.Time) shape {
	s := shape{id: id, now: store.Micros(at), keys: [2][]byte{[]byte("slot:" + id), []byte("destination:" + id)}}
	for _, ids := range []*[2]string{&s.started, &s.sent, &s.checked} {
		ids[0], ids[1] = store.NewID(at), store.NewID(at)
	}
	return s
}

// furnish makes an account with a contact.
func furnish(id string) transaction {
	return transaction{calls: []call{
		{`INSERT INTO account (account_id, data_key, wrapped_by, name, locale, time_zone, country, created_at, changed_at)
			VALUES ($1, $2, 1, $3, 'en', 'Asia/Shanghai', 'GB', 1, 1)`, []any{id, sealed, sealed}},
		{`INSERT INTO contact (account_id, slot, value, value_index, line, state, reason, version, set_at)
			VALUES ($1, 'email', $2, $3, '', 'unverified', '', 1, 1)`, []any{id, sealed, []byte(id)}},
	}}
}

func (s shape) start() transaction {
	return transaction{calls: []call{
		{
			`SELECT account.account_id, data_key, name, mailbox, locale, time_zone, country, holder_locale, holder_time_zone, created_at, changed_at,
			value, value_index, line, state, reason, version, set_at, verified_at, due_at, pending_value, pending_index, pending_line
			FROM account LEFT JOIN contact ON contact.account_id = account.account_id AND contact.slot = $2 WHERE account.account_id = $1`,
			[]any{s.id, "email"},
		},
		{
			`INSERT INTO verification_slot AS s (account_id, slot, verification_id, previous_id, contact_version, codes, expires_at,
				guesses, messages, wrong_run, message_run, next_at) VALUES ($1, 'email', $1, '', 1, $2, $3, 0, 1, 0, 1, $4)
			ON CONFLICT (account_id, slot) DO UPDATE SET verification_id = excluded.verification_id, codes = excluded.codes
			WHERE s.next_at <= $4
			RETURNING previous_id, next_at, EXISTS (
				SELECT 1 FROM verification v WHERE v.account_id = $1 AND v.target_index = $2 AND v.state = 'verified')`,
			[]any{s.id, sealed, s.now + 1_800_000_000, s.now},
		},
		{
			`INSERT INTO rate_window (key, used, max_uses, ends_at) VALUES ($1, 1, 10, $3), ($2, 1, 20, $3)
			ON CONFLICT (key) DO UPDATE SET used = rate_window.used + 1 WHERE rate_window.used < excluded.max_uses RETURNING key`,
			[]any{s.keys[0], s.keys[1], s.now + 86_400_000_000},
		},
		{`INSERT INTO notice (account_id, notice_id, reference, class, template_version, locale, variables, created_at)
			VALUES ($1, $2, $2, 'code', 'bare', 'en', $3, $4)`, []any{s.id, s.id, sealed, s.now}},
		{
			`INSERT INTO delivery (account_id, delivery_id, notice_id, slot, channel, form, class, state, address, target_index, payload,
				attempts, due_at, leased_until, expires_at, created_at, code, enhanced)
			VALUES ($1, $1, $1, 'email', 'email', 'email', 'code', 'queued', $2, $3, $2, 1, $4, $5, $5, $4, 0, '')`,
			[]any{s.id, sealed, []byte(s.id), s.now, s.now + 1_800_000_000},
		},
		{`INSERT INTO verification (account_id, verification_id, slot, method, state, contact_version, target_index, delivery_id, started_at, expires_at)
			VALUES ($1, $1, 'email', 'code', 'pending', 1, $2, $1, $3, $4)`, []any{s.id, []byte(s.id), s.now, s.now + 1_800_000_000}},
		s.event(s.started[0], "verification.started"),
	}}
}

func (s shape) record() transaction {
	return transaction{relaxed: true, calls: []call{
		{`UPDATE delivery SET state = 'accepted', done_at = $1, code = $2, enhanced = '', words = NULL, payload = NULL
			WHERE (account_id, delivery_id) = ($3, $4) AND state = 'queued'`, []any{s.now, 250, s.id, s.id}},
		s.event(s.sent[0], "delivery.accepted"),
	}}
}

func (s shape) count() transaction {
	return transaction{calls: []call{{`UPDATE verification_slot SET guesses = guesses + 1, wrong_run = wrong_run + 1
		WHERE (account_id, slot) = (SELECT account_id, slot FROM verification WHERE verification_id = $1)
			AND verification_id = $1 AND guesses < 5 AND wrong_run < 100 AND expires_at > $2
		RETURNING account_id, slot, contact_version, codes, guesses, wrong_run`, []any{s.id, s.now}}}}
}

func (s shape) consume() transaction {
	e := s.event(s.checked[0], "contact.verified")
	e.sql += ", ($8, $9, $10, $11, $12, $13, $14)"
	e.args = append(e.args, s.event(s.checked[1], "verification.verified").args...)
	return transaction{calls: []call{
		{`UPDATE verification_slot SET verification_id = '', codes = $1, wrong_run = 0, message_run = 0
			WHERE account_id = $2 AND slot = 'email' AND verification_id = $3`, []any{[]byte{}, s.id, s.id}},
		{"UPDATE account SET changed_at = $1 WHERE account_id = $2", []any{s.now, s.id}},
		{`UPDATE contact SET state = 'verified', verified_at = $1, due_at = $2 WHERE account_id = $3 AND slot = 'email' AND version = 1
			RETURNING line, pending_at`, []any{s.now, s.now + 1, s.id}},
		{
			`UPDATE verification SET state = 'verified', ended_at = $1 WHERE account_id = $2 AND verification_id = $3 AND state = 'pending'`,
			[]any{s.now, s.id, s.id},
		},
		e,
	}}
}

func (s shape) event(id, kind string) call {
	return call{
		"INSERT INTO event (account_id, event_id, type, subject, actor, at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		[]any{s.id, id, kind, s.id, "key:" + s.id, s.now, `{"method":"code","slot":"email"}`},
	}
}
