package portal

import (
	"slices"

	"countersign.dev/base/auth"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
)

// card is a slot as home shows it.
type card struct {
	slot    contact.Slot
	name    string
	state   ui.State
	chip    string
	value   string   // masked; "" for none
	since   string   // since when it stands, and when it is checked next
	lines   []string // what there is to know, what matters most first
	next    *action  // what to do about it; nil when there is nothing, or the session may not
	main    bool     // next is the one main action of the page
	more    []action
	urgency urgency
}

// action is a way on. What it leads to does nothing until its button is pressed.
type action struct{ text, url string }

// card makes a slot's card of what is known of it.
func (p *Portal) card(v *visit, s standing) card {
	c := card{
		slot: s.slot, name: slotName(v.page, s.slot), urgency: s.urgency(v),
		lines: p.lines(v, s), next: p.next(v, s), more: p.more(v, s),
	}
	if c.next != nil { // it says the same better
		c.more = slices.DeleteFunc(c.more, func(a action) bool { return a.url == c.next.url })
	}
	c.state, c.chip = v.chip(s)
	if k := s.contact; k != nil {
		c.value, c.since = k.Masked(), v.since(*k)
	}
	return c
}

// chip says in a word how a slot stands.
func (v *visit) chip(s standing) (ui.State, string) {
	switch {
	case s.contact != nil && s.contact.State == contact.Verified:
		return ui.Verified, v.t("portal.card.chip.verified")
	case s.failing():
		return ui.Danger, v.t("portal.card.chip." + s.situation())
	}
	return ui.Action, v.t("portal.card.chip." + s.situation())
}

// since is when a contact was set or proved, and until when the proof counts.
func (v *visit) since(k contact.Contact) string {
	switch {
	case k.VerifiedAt.IsZero():
		return v.t("portal.card.set-on", v.page.Date(k.SetAt))
	case k.State == contact.Verified:
		return v.t("portal.card.verified-on", v.page.Date(k.VerifiedAt), v.page.Date(k.DueAt))
	}
	return v.t("portal.card.was-verified-on", v.page.Date(k.VerifiedAt))
}

// lines are the sentences of a card: what is under way, what is wrong, what happens to those who wait, what else to know.
func (p *Portal) lines(v *visit, s standing) (lines []string) {
	add := func(id string, args ...any) { lines = append(lines, v.t(id, args...)) }
	what := s.situation()
	if s.pending != nil {
		add("portal.card.sent."+s.sent(), v.page.Ago(s.pending.StartedAt), v.page.Moment(s.pending.ExpiresAt))
	}
	if s.contact != nil && s.contact.State == contact.NeedsUpdate {
		add("portal.card.reason." + what)
	}
	if s.contact != nil && s.contact.Pending != nil {
		add("portal.card.change", s.contact.Pending.Masked())
	}
	if s.wait.Until.After(v.now) && what != nothing {
		add("portal.card.deferred", v.page.Date(s.wait.Until))
	}
	if what != nothing {
		add("portal.card.wait." + what)
	}
	if s.contact != nil {
		for _, hint := range contact.Hints(v.account, *s.contact) {
			lines = append(lines, contact.HintText(v.page.Locale, hint))
		}
		if what != nothing && !p.o.HasRoute(channelOf(s.slot)) {
			add("portal.card.no-route")
		}
	}
	return lines
}

// channelOf is the channel that a code to a slot goes by.
func channelOf(s contact.Slot) string {
	if s.Kind() == contact.Phone {
		return deliver.SMS
	}
	return deliver.Email
}

// provable tells whether a code can be sent to what was set last in a slot.
func (p *Portal) provable(s standing) bool {
	return p.o.HasRoute(channelOf(s.slot)) && (s.slot.Kind() == contact.Email || newest(*s.contact).Phone.CanSMS())
}

// next is what to do about a slot, nil when it needs nothing or the session may not.
func (p *Portal) next(v *visit, s standing) *action {
	of := func(id string, parts ...string) *action { return &action{v.t(id), v.path(parts...)} }
	slot := s.slot.String()
	switch what := s.situation(); {
	case s.pending != nil && v.may(auth.Verify):
		return of("portal.card.enter."+s.sent(), "verifications", s.pending.ID)
	case what == missing && v.may(auth.Change):
		return of("portal.card.add-"+string(s.slot.Kind()), "contacts", slot, "change")
	case what == nothing || what == missing:
		return nil
	case v.may(auth.Change) && (s.dead() || !p.provable(s)):
		return of("portal.card.replace-"+string(s.slot.Kind()), "contacts", slot, "change")
	case v.may(auth.Verify) && p.provable(s):
		return of("portal.card.verify", "contacts", slot, "verify")
	}
	return nil
}

// more are the other things that can be done about a slot.
func (p *Portal) more(v *visit, s standing) (list []action) {
	add := func(id, task string) { list = append(list, action{v.t(id), v.path("contacts", s.slot.String(), task)}) }
	if s.dead() && v.may(auth.Verify) && p.provable(s) {
		add("portal.card.verify-again", "verify")
	}
	if s.contact != nil && v.may(auth.Change) {
		add("portal.card.change-it", "change")
		add("portal.card.remove", "remove")
	}
	switch {
	case !v.may(auth.Verify) || !s.deferrable():
	case s.wait.Until.After(v.now):
		add("portal.card.defer-longer", "defer")
	default:
		add("portal.card.defer", "defer")
	}
	return list
}
