package account

import (
	"context"

	"countersign.dev/base/address"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Put makes the account be what in says, whole unless in.Keep: it creates it, or replaces what differs. Nothing is written when
// nothing differs. It takes at most three statements, the events included, and one more when a mailbox goes out of use,
// unless somebody changes the same account at the same moment.
//
// Events: account.created; account.changed with the names of the changed fields; account.mailbox_changed with what
// became of the mailbox: "set", "changed" or "removed". See TakeFormerMailbox for the one that stood there before.
//
// Faults: Invalid "account-id-invalid", "name-characters", "name-too-long", "locale-invalid", "time-zone-unknown",
// "country-unknown", and those of address.ParseEmail at the field "mailbox".
func (a *Accounts) Put(ctx context.Context, tx *store.Tx, in Input, actor string) (acc Account, created bool, err error) {
	v, err := in.parse()
	if err != nil {
		return Account{}, false, err
	}
	for { // again when somebody was faster
		r, err := get(ctx, tx, v.id)
		created = fault.Is(err, "unknown-account")
		var done bool
		switch {
		case created:
			r, done, err = a.create(ctx, tx, v, actor)
		case err == nil:
			done, err = a.replace(ctx, tx, &r, v, actor)
		}
		if err != nil {
			return Account{}, false, err
		}
		if done {
			acc, err = a.Open(&r)
			return acc, created, err
		}
	}
}

// create inserts the account; it is not done when somebody else has just created it.
func (a *Accounts) create(ctx context.Context, tx *store.Tx, v values, actor string) (r Row, done bool, err error) {
	key, wrapped, wrappedBy, err := a.o.Keys.NewDataKey(v.id)
	if err != nil {
		return r, false, err
	}
	now := store.Micros(tx.Now())
	r = Row{id: v.id, dataKey: wrapped, createdAt: now, changedAt: now}
	r.set(key, v)
	n, err := tx.Exec(ctx, `INSERT INTO account (account_id, data_key, wrapped_by, name, mailbox, mailbox_index, locale,
			time_zone, country, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) ON CONFLICT (account_id) DO NOTHING`,
		r.id, r.dataKey, wrappedBy, r.name, r.mailbox, a.index(v.mailbox), r.locale, r.timeZone, r.country, now)
	if err != nil || n == 0 {
		return r, false, err
	}
	event.Append(tx, event.Event{Type: "account.created", Account: v.id, Subject: v.id, Actor: actor})
	return r, true, nil
}

// replace writes v over r; it is not done when r is no longer what is stored.
func (a *Accounts) replace(ctx context.Context, tx *store.Tx, r *Row, v values, actor string) (done bool, err error) {
	acc, err := a.Open(r)
	if err != nil {
		return false, err
	}
	v = v.over(r, acc)
	fields, mailbox := r.changed(acc, v), becomes(acc.Mailbox, v.mailbox)
	if len(fields) == 0 && mailbox == "" {
		return true, nil
	}
	read := r.changedAt
	r.changedAt = next(tx, read)
	r.set(acc.Key, v)
	n, err := tx.Exec(ctx, `UPDATE account SET name = $3, mailbox = $4, mailbox_index = $5, locale = $6, time_zone = $7,
		country = $8, changed_at = $9 WHERE account_id = $1 AND changed_at = $2`,
		r.id, read, r.name, r.mailbox, a.index(v.mailbox), r.locale, r.timeZone, r.country, r.changedAt)
	if err != nil || n == 0 {
		return false, err
	}
	if len(fields) > 0 {
		announceChange(tx, r.id, actor, fields)
	}
	if mailbox != "" {
		moveMailbox(tx, acc, mailbox, actor)
	}
	return true, nil
}

func announceChange(tx *store.Tx, id, actor string, fields []string) {
	event.Append(tx, event.Event{Type: "account.changed", Account: id, Subject: id, Actor: actor, Body: map[string]any{"fields": fields}})
}

// set puts v into the row, sealed where it is personal.
func (r *Row) set(key seal.DataKey, v values) {
	r.name = key.Seal(place(r.id, "name"), []byte(v.name))
	r.mailbox = nil
	if !v.mailbox.IsZero() {
		r.mailbox = key.Seal(place(r.id, "mailbox"), []byte(v.mailbox.String()))
	}
	r.locale, r.timeZone, r.country = v.locale, v.timeZone, v.country
}

// changed names the fields, but for the mailbox, in which v differs from what the platform said before.
func (r *Row) changed(acc Account, v values) (fields []string) {
	for _, f := range []struct{ name, before, after string }{
		{"name", acc.Name, v.name},
		{"locale", r.locale, v.locale},
		{"time_zone", r.timeZone, v.timeZone},
		{"country", r.country, v.country},
	} {
		if f.before != f.after {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// index is the mailbox's blind index, in the domain of e-mail contacts: the two can be compared.
func (a *Accounts) index(mailbox address.Email) []byte {
	if mailbox.IsZero() {
		return nil
	}
	return a.o.Keys.Index("email", mailbox.Key())
}
