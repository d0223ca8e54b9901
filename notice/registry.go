// Package notice keeps every message of the platform on record, and puts it on its way.
//
// Send stores a notice and its delivery with the caller's transaction, so it is on record before its first byte
// leaves. The record is the template's version, the sealed variables and blanks where a secret stood: a code is
// in the delivery's sealed payload alone, until the message is taken or expires. A version is stored compiled
// and never changes, so a later program shows an old notice as it was sent.
//
// The package leans on account, channel/deliver, channel/telephony and base.
package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/i18n"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/telephony"
)

// Class says who gets a notice and how it is handled.
type Class string

// ClassCode is a verification's message: it goes to the contact that it proves and nowhere else.
const ClassCode Class = "code"

// Options wire a Registry. Platform is the operator's name as every message shows it; Host is the host of the
// page where codes are typed.
type Options struct {
	Keys     *seal.Keyring
	Queue    *deliver.Queue
	Platform string
	Host     string
}

// Registry makes and keeps notices.
type Registry struct {
	o       Options
	current map[string]*version // the version in force, by template name

	mu    sync.RWMutex
	known map[string]*version // by version id
}

// New returns a registry; Install must run before Send.
func New(o Options) *Registry {
	r := &Registry{o: o, current: map[string]*version{}, known: map[string]*version{}}
	return r
}

// Install makes the built-in templates versions in force, storing those that the database does not have.
func (r *Registry) Install(ctx context.Context, db *store.DB) error {
	return db.Write(ctx, func(tx *store.Tx) error {
		for _, v := range builtin() {
			compiled, err := v.name()
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO template_version (version_id, name, rule, compiled, created_at)
				VALUES ($1, $2, $3, $4, $5) ON CONFLICT (version_id) DO NOTHING`,
				v.id, v.Name, v.Rule, compiled, store.Micros(tx.Now())); err != nil {
				return err
			}
			r.current[v.Name] = v
			r.remember(v)
		}
		return nil
	})
}

func (r *Registry) remember(v *version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[v.id] = v
}

// version returns a stored version, from memory after the first time.
func (r *Registry) version(ctx context.Context, tx *store.Tx, id string) (*version, error) {
	r.mu.RLock()
	v := r.known[id]
	r.mu.RUnlock()
	if v != nil {
		return v, nil
	}
	var compiled string
	err := tx.QueryRow(ctx, "SELECT compiled FROM template_version WHERE version_id = $1", id).Scan(&compiled)
	if err != nil {
		return nil, fmt.Errorf("template version %s: %w", id, err)
	}
	if v, err = readVersion(id, compiled); err == nil {
		r.remember(v)
	}
	return v, err
}

// Notice is what Send takes. Secrets fill blanks of the record; they must be among the template's holes.
type Notice struct {
	Account   account.Account
	Class     Class
	Template  string
	Slot      string
	Channel   string
	To        string
	Index     []byte // the blind index of To
	Country   string // of a phone number, ISO 3166 alpha-2
	Secrets   map[string]string
	ExpiresAt time.Time
}

// Sent names what Send stored.
type Sent struct {
	NoticeID   string
	DeliveryID string
	Reference  Reference
}

// Send stores a notice and its delivery with the caller's transaction. A reference that is taken makes the
// transaction run again, with another one.
func (r *Registry) Send(tx *store.Tx, n Notice) (Sent, error) {
	v := r.current[n.Template]
	if v == nil {
		return Sent{}, fmt.Errorf("notice: no template %q is in force", n.Template)
	}
	locale := i18n.Match(n.Account.Locale)
	sent := Sent{NoticeID: store.NewID(tx.Now()), Reference: NewReference()}
	values := r.values(tx.Now(), n, locale)
	variables, err := json.Marshal(values)
	if err != nil {
		return Sent{}, err
	}
	tx.LaterRow("INSERT INTO notice (account_id, notice_id, reference, class, template_version, locale, variables, created_at) VALUES",
		n.Account.ID, sent.NoticeID, string(sent.Reference), string(n.Class), v.id, string(locale),
		n.Account.Key.Seal(place(sent.NoticeID), variables), store.Micros(tx.Now()))
	values["reference"] = string(sent.Reference)
	maps.Copy(values, n.Secrets)
	form := chooseForm(v, locale, n, values)
	content, err := v.render(string(locale), form, values)
	if err != nil {
		return Sent{}, err
	}
	sent.DeliveryID = r.o.Queue.Add(tx, deliver.Delivery{
		Account: n.Account.ID, Key: n.Account.Key, NoticeID: sent.NoticeID, Slot: n.Slot,
		Channel: n.Channel, Form: form, Class: string(n.Class),
		To: n.To, Index: n.Index, Secrets: n.Secrets, ExpiresAt: n.ExpiresAt,
		Content: content.on(sent.Reference, locale),
	})
	return sent, nil
}

// on names the notice that a content is of.
func (c Content) on(r Reference, l i18n.Locale) deliver.Content {
	return deliver.Content{Reference: string(r), Locale: string(l), Subject: c.Subject, Text: c.Text, HTML: c.HTML}
}

// values are the variables that every template may use.
func (r *Registry) values(now time.Time, n Notice, l i18n.Locale) map[string]string {
	return map[string]string{
		"platform": r.o.Platform,
		"host":     r.o.Host,
		"until":    moment(l, n.ExpiresAt, n.Account.TimeZone),
		"minutes":  strconv.Itoa(int(n.ExpiresAt.Sub(now).Round(time.Minute) / time.Minute)),
	}
}

// moment writes a time as people of a language do, in the account's own zone.
func moment(l i18n.Locale, at time.Time, zone string) string {
	at = at.In(location(zone))
	offset := strings.TrimSuffix(at.Format("UTC-07:00"), ":00")
	if l == i18n.Zh {
		return at.Format("2006年1月2日 15:04") + "（" + offset + "）"
	}
	return at.Format("15:04 on 2 January 2006") + " (" + offset + ")"
}

// locations holds the zones that were asked for: reading one from the zone database costs more than a statement.
var locations sync.Map

// location is the zone of that name; an unknown one reads as UTC.
func location(zone string) *time.Location {
	if loc, ok := locations.Load(zone); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	locations.Store(zone, loc)
	return loc
}

// chooseForm picks a text for the channel. The mainland's template rules allow no line beginning with @; the
// reference goes where one segment holds it.
func chooseForm(v *version, l i18n.Locale, n Notice, values map[string]string) string {
	switch {
	case n.Channel == deliver.Email:
		return FormEmail
	case n.Country == "CN":
		return FormSMSPlain
	}
	if c, err := v.render(string(l), FormSMSRef, values); err == nil && telephony.Segments(c.Text) == 1 {
		return FormSMSRef
	}
	return FormSMS
}

func place(noticeID string) seal.Place {
	return seal.Place{Table: "notice", Row: noticeID, Column: "variables"}
}

// Erase removes an account's notices that were made before a time.
func Erase(ctx context.Context, tx *store.Tx, accountID string, before time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM notice WHERE account_id = $1 AND created_at < $2", accountID, store.Micros(before))
	return err
}
