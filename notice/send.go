package notice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/telephony"
)

// Notice is what Send takes. Secrets fill blanks of the record, Values its other holes; both must be among the
// template's.
type Notice struct {
	Reference Reference // empty: one is drawn. Who needs it for a secret draws it within the transaction
	Account   account.Account
	Class     Class
	Template  string
	Reader    string // whom the template speaks to, where it has texts for several readers
	Slot      string // of the contact that it goes to; empty: the mailbox
	Channel   string
	To        string
	Index     []byte // the blind index of To
	Country   string // of a phone number, ISO 3166 alpha-2
	Values    map[string]string
	Secrets   map[string]string
	ExpiresAt time.Time

	id string // empty: a new one
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
	sent := Sent{NoticeID: cmp.Or(n.id, store.NewID(tx.Now())), Reference: cmp.Or(n.Reference, NewReference())}
	values := r.values(tx.Now(), n, locale)
	variables, err := json.Marshal(values)
	if err != nil {
		return Sent{}, err
	}
	values["reference"] = string(sent.Reference)
	maps.Copy(values, n.Secrets)
	form := r.chooseForm(v, locale, n, values)
	content, err := v.render(string(locale), form, values)
	if err != nil {
		return Sent{}, err
	}
	tx.LaterRow("INSERT INTO notice (account_id, notice_id, reference, class, template_version, locale, variables, created_at) VALUES",
		n.Account.ID, sent.NoticeID, string(sent.Reference), string(n.Class), v.id, string(locale),
		n.Account.Key.Seal(place(sent.NoticeID), variables), store.Micros(tx.Now()))
	sent.DeliveryID = r.o.Queue.Add(tx, deliver.Delivery{
		Account: n.Account.ID, Key: n.Account.Key, NoticeID: sent.NoticeID, Slot: n.Slot,
		Channel: n.Channel, Form: form, Class: string(n.Class),
		To: n.To, Index: n.Index, Secrets: n.Secrets, ExpiresAt: n.ExpiresAt,
		Content: r.outgoing(content, form, sent.Reference, locale),
	})
	return sent, nil
}

// outgoing is a content as it leaves: with the name of its notice, and the logo where the form shows it.
func (r *Registry) outgoing(c Content, form string, ref Reference, l i18n.Locale) deliver.Content {
	out := deliver.Content{Reference: string(ref), Locale: string(l), Subject: c.Subject, Text: c.Text, HTML: c.HTML}
	if strings.HasSuffix(form, FormEmailLogo) && r.o.Logo != nil {
		out.Image = &deliver.Image{ID: logoID, PNG: r.o.Logo}
	}
	return out
}

// values are the variables that every template may use, and those of the notice.
func (r *Registry) values(now time.Time, n Notice, l i18n.Locale) map[string]string {
	values := map[string]string{
		"platform": r.o.Platform,
		"host":     r.o.Host,
		"origin":   r.o.Origin,
		"help":     r.o.Help,
		"accent":   r.o.Accent,
		"until":    moment(l, n.ExpiresAt, n.Account.TimeZone),
		"minutes":  strconv.Itoa(int(n.ExpiresAt.Sub(now).Round(time.Minute) / time.Minute)),
	}
	maps.Copy(values, n.Values)
	return values
}

// chooseForm picks a text for the reader and the channel. The mainland's template rules allow no line beginning with @;
// the reference goes where it takes no further segment.
func (r *Registry) chooseForm(v *version, l i18n.Locale, n Notice, values map[string]string) string {
	has := func(form string) bool { _, ok := v.Forms[string(l)][formFor(n.Reader, form)]; return ok }
	form := FormSMS
	switch {
	case n.Channel == deliver.Email && r.o.Logo != nil:
		form = FormEmailLogo
	case n.Channel == deliver.Email:
		form = FormEmail
	case n.Country == "CN" && has(FormSMSPlain):
		form = FormSMSPlain
	case has(FormSMSRef) && v.segments(l, formFor(n.Reader, FormSMSRef), values) <= v.segments(l, formFor(n.Reader, FormSMS), values):
		form = FormSMSRef
	}
	return formFor(n.Reader, form)
}

// segments is how many segments a form takes; none when it cannot be filled, which shows when it is sent.
func (v *version) segments(l i18n.Locale, form string, values map[string]string) int {
	c, err := v.render(string(l), form, values)
	if err != nil {
		return 0
	}
	return telephony.Segments(c.Text)
}
