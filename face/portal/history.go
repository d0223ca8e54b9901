package portal

import (
	"context"
	"strings"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
)

// happening is an event of the account as its holder reads it.
type happening struct {
	At    time.Time
	State ui.State
	Icon  ui.Glyph
	Text  string // what happened
	Who   string // who did it
}

// wording is how a type of event is shown. Member names the one of the event's body that chooses among its texts; "" when there is
// one text.
type wording struct {
	state  ui.State
	icon   ui.Glyph
	member string
}

// wordings are the types of event that a holder is shown. What is not here is for staff, or says again what another event says.
var wordings = map[string]wording{
	"account.created":          {ui.Quiet, "person", ""},
	"account.changed":          {ui.Quiet, "settings", ""},
	"account.mailbox_changed":  {ui.Action, "mail", "mailbox"},
	"contact.set":              {ui.Quiet, "edit", ""},
	"contact.change_requested": {ui.Quiet, "edit", ""},
	"contact.change_cancelled": {ui.Quiet, "edit", ""},
	"contact.change_refused":   {ui.Danger, "", ""},
	"contact.changed":          {ui.Quiet, "edit", ""},
	"contact.removed":          {ui.Quiet, "trash", ""},
	"contact.verified":         {ui.Verified, "", ""},
	"contact.needs_update":     {ui.Danger, "", "reason"},
	"contact.expiring":         {ui.Action, "clock", ""},
	"contact.deferred":         {ui.Quiet, "pause", ""},
	"contact.disputed":         {ui.Danger, "", ""},
	"contact.locked":           {ui.Danger, "", ""},
	"contact.unlocked":         {ui.Quiet, "", ""},
	"contact.revealed":         {ui.Quiet, "shield", ""},
	"delivery.accepted":        {ui.Quiet, "send", ""},
	"delivery.refused":         {ui.Danger, "", ""},
	"delivery.expired":         {ui.Action, "clock", ""},
	"session.redeemed":         {ui.Quiet, "person", ""},
	"session.refused":          {ui.Danger, "", ""},
	"session.ended":            {ui.Quiet, "person", ""},
	"verification.started":     {ui.Waiting, "", ""},
	"verification.exhausted":   {ui.Danger, "", ""},
}

// tell words an event; false when a holder is not shown it.
func tell(page ui.Page, se auth.Session, e event.Event) (happening, bool) {
	how, shown := wordings[e.Type]
	id := "portal.event." + e.Type
	if how.member != "" {
		value, _ := e.Body[how.member].(string)
		id += "." + value
	}
	if !shown || !i18n.Has(page.Locale, id) {
		return happening{}, false
	}
	return happening{
		At: e.At, State: how.state, Icon: how.icon, Text: page.T(id, aboutSlot(page, e)), Who: who(page, se, e.Actor),
	}, true
}

// aboutSlot names the contact that an event is about, or the mailbox when it names none.
func aboutSlot(page ui.Page, e event.Event) string {
	name, _ := e.Body["slot"].(string)
	if slot, err := contact.ParseSlot(name); err == nil {
		return slotName(page, slot)
	}
	return page.T("portal.slot.mailbox")
}

// slotName is what a holder calls a slot: "E-mail", "Phone 2".
func slotName(page ui.Page, s contact.Slot) string {
	if s.Rank() == 1 {
		return page.T("portal.slot." + string(s.Kind()))
	}
	return page.T("portal.slot.further-"+string(s.Kind()), s.Rank())
}

// who words an actor, "" for one that there is no word for. A platform may say which of an account's people a session is for.
func who(page ui.Page, se auth.Session, actor string) string {
	switch {
	case actor == se.Actor():
		return page.T("portal.who.you")
	case strings.HasPrefix(actor, "account:"):
		return page.T("portal.who.colleague")
	case actor == event.System:
		return page.T("portal.who.system")
	case actor == event.CLI, strings.HasPrefix(actor, "key:"):
		return page.T("portal.who.operator", page.Brand.Name)
	}
	return ""
}

// readEvents is how many events are read at once: most of them are shown.
const readEvents = 40

// history returns what happened to the session's account, newest first and older than an event: at most n things, in at most so many
// reads. next is where to go on, "" at the end.
func (v *visit) history(ctx context.Context, tx *store.Tx, before string, n, reads int) (page []happening, next string, err error) {
	for range reads {
		events, err := event.OfAccount(ctx, tx, v.account.ID, before, readEvents)
		if err != nil {
			return nil, "", err
		}
		for _, e := range events {
			h, shown := tell(v.page, v.session, e)
			if shown && len(page) == n {
				return page, before, nil
			}
			before = e.ID
			if shown {
				page = append(page, h)
			}
		}
		if len(events) < readEvents {
			return page, "", nil
		}
	}
	return page, before, nil
}
