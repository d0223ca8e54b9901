package portal

import (
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/width"

	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
)

// deferring is the page on which a contact is put off.
type deferring struct {
	*visit
	slot    contact.Slot
	contact contact.Contact
	wait    contact.Wait
	f       *form
}

// reasonsNot are the answers to "why not now", by the kind of contact. "other" is said in words of one's own.
var reasonsNot = map[contact.Kind][]string{
	contact.Email: {"setup", "colleague", "travel", "other"},
	contact.Phone: {"sim", "colleague", "travel", "other"},
}

// usualDays is how long a contact is put off if nobody chooses otherwise.
const usualDays = 7

func (p *Portal) deferring(v *visit, f *form) (m deferring, err error) {
	m = deferring{visit: v, f: f}
	if m.slot, err = v.slot(); err != nil {
		return m, err
	}
	m.contact, _ = v.contact(m.slot)
	err = p.o.DB.Read(v.ctx(), func(tx *store.Tx) (err error) {
		m.wait, err = p.o.Contacts.Budget(v.ctx(), tx, v.account.ID, m.slot)
		return err
	})
	return m, err
}

// needless tells whether there is nothing to put off.
func (m deferring) needless() bool { return m.contact.State == contact.Verified }

// from is when more time would begin: now, or when the deferral in force ends.
func (m deferring) from() time.Time {
	if m.wait.Until.After(m.now) {
		return m.wait.Until
	}
	return m.now
}

// first and last are the days that can be chosen. A deferral lasts to the end of its day, as the account's clock has it.
func (m deferring) first() time.Time { return m.from().Add(time.Second).In(m.page.Zone) }

func (m deferring) last() time.Time {
	const day = 24 * time.Hour
	until := m.from().Add(time.Duration(m.wait.DaysLeft) * day).In(m.page.Zone)
	if endOf(until).After(until) {
		until = until.AddDate(0, 0, -1)
	}
	return until
}

// endOf is the last second of the day that a time is in, in the time's zone.
func endOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 0, t.Location())
}

// usedUp tells whether no day is left to choose.
func (m deferring) usedUp() bool {
	return m.wait.TimesLeft == 0 || endOf(m.last()).Before(endOf(m.first()))
}

// until is the day in the field: what was typed, or a week from now if there is as much left.
func (m deferring) until() string {
	if m.f != nil {
		return m.f.shown("until")
	}
	usual := m.from().In(m.page.Zone).AddDate(0, 0, usualDays)
	if last := m.last(); usual.After(last) {
		usual = last
	}
	return usual.Format(time.DateOnly)
}

func (m deferring) options() (all []ui.Option) {
	for _, id := range reasonsNot[m.slot.Kind()] {
		all = append(all, ui.Option{Value: id, Text: m.t("portal.defer.why." + id)})
	}
	return all
}

// chooseDeferral is the page with the form.
func (p *Portal) chooseDeferral(w http.ResponseWriter, v *visit) error {
	m, err := p.deferring(v, nil)
	if err != nil {
		return err
	}
	return v.render(w, http.StatusOK, deferPage(m))
}

// deferContact puts a contact off. Sent again, the same form spends nothing.
func (p *Portal) deferContact(w http.ResponseWriter, v *visit) error {
	f, err := v.form(w)
	if err != nil {
		return err
	}
	m, err := p.deferring(v, f)
	if err != nil {
		return err
	}
	until, reason := m.readUntil(), m.readReason()
	if !f.wrong() {
		err = p.o.DB.Write(v.ctx(), func(tx *store.Tx) error {
			_, err := p.o.Contacts.Defer(v.ctx(), tx, v.account.ID, m.slot, until, reason, v.session.Actor())
			return err
		})
	}
	if err := f.refuse(err); err != nil {
		return err
	}
	if f.wrong() {
		return v.again(w, f, deferPage(m))
	}
	return v.redirect(w, v.path()+"?done=deferred")
}

// readUntil is the end of the day that was chosen.
func (m deferring) readUntil() time.Time {
	day, known := parseDay(m.f.get("until"), m.page.Zone)
	until := endOf(day)
	switch {
	case m.f.get("until") == "":
		m.f.add("until", m.t("portal.defer.until-missing"))
	case !known:
		m.f.add("until", m.t("portal.defer.until-malformed"))
	case until.Before(m.now):
		m.f.add("until", m.t("portal.defer.until-past"))
	case until.Equal(m.wait.Until), m.usedUp(): // the same form again; nothing left, which contact says
	case until.Before(endOf(m.first())):
		m.f.add("until", m.t("portal.defer.until-early", m.page.Date(m.wait.Until)))
	case until.After(endOf(m.last())):
		m.f.add("until", m.t("portal.defer.until-late", m.page.Date(m.last())))
	}
	return until
}

// parseDay reads a day as browsers send it, and as people write it where the browser has no field for days. The time is noon: not
// every day has a midnight.
func parseDay(typed string, zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"} {
		if day, err := time.Parse(layout, width.Narrow.String(typed)); err == nil {
			return time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone), true
		}
	}
	return time.Time{}, false
}

// readReason is why: the answer that was chosen, and what was added to it.
func (m deferring) readReason() string {
	chosen, added := m.f.get("why"), m.f.get("reason")
	if chosen == "" && added != "" {
		chosen = "other"
	}
	switch {
	case !slices.Contains(reasonsNot[m.slot.Kind()], chosen):
		m.f.add("why", m.t("portal.defer.why-missing"))
	case chosen == "other" && added == "":
		m.f.add("reason", m.t("portal.defer.reason-missing"))
	case chosen == "other":
		return added
	case added == "":
		return m.t("portal.defer.why." + chosen)
	}
	return m.t("portal.defer.why-more", m.t("portal.defer.why."+chosen), added)
}
