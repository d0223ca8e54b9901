package notice

import (
	"context"
	"maps"
	"strconv"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/contact"
)

// tellFormer tells the contact that stood somewhere before a change, if messages still reach it. Unless the change is
// disputed already, the message has a code to dispute it with.
func (t *telling) tellFormer(ctx context.Context, reader string, w contact.Window) error {
	n, ok := t.r.toContact(reader, w.Slot, w.Old)
	if _, told := t.told[string(n.Index)]; told || !ok {
		return nil
	}
	if works, err := t.worked(ctx, w); err != nil || !works {
		return err
	}
	if may, err := t.mayTell(ctx, n); err != nil || !may {
		return err
	}
	if t.template != ContactDisputed {
		n.Reference = NewReference()
		code, expires := t.r.o.Contacts.NewDisputeCode(t.tx, t.acc, w, string(n.Reference))
		n.Secrets = map[string]string{"dispute_code": code}
		n.Values = maps.Clone(t.values)
		n.Values["until"] = moment(t.locale, expires, t.acc.TimeZone)
		n.Values["days"] = strconv.Itoa(int(expires.Sub(t.tx.Now()) / (24 * time.Hour)))
	}
	return t.send(n)
}

// formerContacts tells those whose window is open that something critical was sent, and on which topic. A later change
// shortens no window: whoever takes an account over step by step is seen by the first contact at each step.
func (t *telling) formerContacts(ctx context.Context) error {
	open, err := t.r.o.Contacts.Windows(ctx, t.tx, t.acc.ID)
	if err != nil {
		return err
	}
	topic := i18n.Text(t.locale, "notice.topic."+t.template)
	t.template = CriticalSent
	for _, w := range open {
		t.values = map[string]string{
			"topic":      topic,
			"changed_at": moment(t.locale, w.EffectiveAt, t.acc.TimeZone),
			"window":     moment(t.locale, w.Until, t.acc.TimeZone),
		}
		if err := t.tellFormer(ctx, "", w); err != nil {
			return err
		}
	}
	return nil
}

// history is how many events are read at a time.
const history = 200

// worked tells whether the contact of a change still took messages when it left: the newest that happened to it before
// was no proof that it does not. The change keeps only its value, so what happened to it is read from the events.
func (t *telling) worked(ctx context.Context, w contact.Window) (bool, error) {
	for before, left := "", false; ; {
		events, err := event.OfAccount(ctx, t.tx, t.acc.ID, before, history)
		if err != nil {
			return false, err
		}
		for _, e := range events {
			version, _ := e.Body["version"].(float64)
			ofChange := int64(version) == w.Version
			switch {
			case e.Subject != w.Slot.String():
			case !left:
				left = ofChange && (e.Type == "contact.changed" || e.Type == "contact.removed")
			case e.Type == "contact.needs_update":
				return e.Body["reason"] == string(contact.Expired), nil
			case e.Type == "contact.verified" && !ofChange:
				return true, nil
			}
			before = e.ID
		}
		if len(events) < history {
			return true, nil
		}
	}
}
