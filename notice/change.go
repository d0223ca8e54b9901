package notice

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// ChangeEvents are the types of events that OnChange listens to.
var ChangeEvents = []string{"contact.changed", "contact.removed", "contact.disputed", "account.mailbox_changed"}

// criticalLife is for how long a critical notice is tried to be brought out.
const criticalLife = 72 * time.Hour

// OnChange tells those concerned of a change: the contact or mailbox that stood there before, the one that stands there
// now, the mailbox, and the other contacts in force. Of each change the former contacts whose window is open are told
// that it happened. Whoever was told as often as is allowed in a day is passed over. An event that is handed twice is
// told once; an account that was erased meanwhile is told nothing.
func (r *Registry) OnChange(ctx context.Context, tx *store.Tx, e event.Event) error {
	acc, contacts, err := r.o.Contacts.All(ctx, tx, e.Account)
	if fault.Is(err, "unknown-account") {
		return nil
	}
	if err != nil {
		return err
	}
	t := &telling{r: r, tx: tx, event: e, acc: acc, contacts: contacts, locale: i18n.Match(acc.Locale), told: map[string]bool{}}
	if before, err := t.before(ctx); err != nil || before {
		return err
	}
	if e.Type == "account.mailbox_changed" {
		err = t.mailboxChanged(ctx)
	} else {
		err = t.contactChanged(ctx)
	}
	if err != nil || t.sent == 0 {
		return err
	}
	return t.formerContacts(ctx)
}

// telling is one event on its way to those concerned.
type telling struct {
	r        *Registry
	tx       *store.Tx
	event    event.Event
	acc      account.Account
	contacts []contact.Contact
	locale   i18n.Locale

	template string
	values   map[string]string
	sent     int
	told     map[string]bool // the addresses that were written to, and whether they were told in full
}

// id is of the n-th notice about the event: who handles an event that was handled meanwhile meets the first one.
func (t *telling) id(n int) string { return t.event.ID + "-" + strconv.Itoa(n) }

// before tells whether the event was handled before.
func (t *telling) before(ctx context.Context) (handled bool, err error) {
	err = t.tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM notice WHERE account_id = $1 AND notice_id = $2)", t.acc.ID, t.id(1)).Scan(&handled)
	return handled, err
}

// contactChanged tells of a contact that was changed or removed, or of the dispute of that.
func (t *telling) contactChanged(ctx context.Context) error {
	name, _ := t.event.Body["slot"].(string)
	version, _ := t.event.Body["version"].(float64) // microseconds: exact up to the year 2255
	slot, err := contact.ParseSlot(name)
	if err != nil {
		return err
	}
	_, w, err := t.r.o.Contacts.Change(ctx, t.tx, t.acc.ID, slot, int64(version))
	if errors.Is(err, store.ErrNoRows) {
		return nil // it had never been verified
	}
	if err != nil {
		return err
	}
	t.template = map[string]string{
		"contact.changed": ContactChanged, "contact.removed": ContactRemoved, "contact.disputed": ContactDisputed,
	}[t.event.Type]
	now, stands := t.standing(w)
	t.values = t.facts(map[string]string{
		"slot": slotName(t.locale, slot), "before": w.Old.Masked(), "after": t.masked(now, stands),
		"changed_at": moment(t.locale, w.EffectiveAt, t.acc.TimeZone), "window": moment(t.locale, w.Until, t.acc.TimeZone),
	})
	if stands && w.Kind == contact.Changed && !now.SetAt.After(w.EffectiveAt) && reachable(now) {
		if err := t.tellContact(ctx, newOne, now); err != nil {
			return err
		}
	}
	if err := t.tellFormer(ctx, oldOne, w); err != nil {
		return err
	}
	if err := t.tellMailbox(ctx, theMailbox); err != nil {
		return err
	}
	return t.tellContacts(ctx)
}

// mailboxChanged tells of a mailbox that is no longer the account's.
func (t *telling) mailboxChanged(ctx context.Context) error {
	former, err := t.r.o.Accounts.TakeFormerMailbox(ctx, t.tx, t.acc, t.event.ID)
	if errors.Is(err, store.ErrNoRows) {
		return nil // there was none
	}
	if err != nil {
		return err
	}
	if former.Key() == t.acc.Mailbox.Key() {
		return nil // another spelling of the same mailbox
	}
	t.template = MailboxChanged
	t.values = t.facts(map[string]string{
		"before": former.Masked(), "after": cmp.Or(t.acc.Mailbox.Masked(), i18n.Text(t.locale, "notice.value.none")),
		"changed_at": moment(t.locale, t.event.At, t.acc.TimeZone),
	})
	if err := t.tell(ctx, t.r.toMailbox(oldOne, former)); err != nil {
		return err
	}
	if err := t.tellMailbox(ctx, newOne); err != nil {
		return err
	}
	return t.tellContacts(ctx)
}

// facts completes the values that the texts of a change share.
func (t *telling) facts(values map[string]string) map[string]string {
	how := "notice.how.platform"
	if strings.HasPrefix(t.event.Actor, "account:") {
		how = "notice.how.holder"
	}
	values["how"] = i18n.Text(t.locale, how)
	values["account"] = cmp.Or(t.acc.Name, t.acc.ID)
	values["account_id"] = t.acc.ID // for a reader to whom we pass on no words that others chose
	values["account_short"] = clip(values["account"])
	return values
}

// shortName is how many characters of a name a text message has room for.
const shortName = 20

func clip(name string) string {
	if runes := []rune(name); len(runes) > shortName {
		return strings.TrimSpace(string(runes[:shortName])) + "..."
	}
	return name
}

// standing is the contact that stands in the slot of a change.
func (t *telling) standing(w contact.Window) (now contact.Contact, ok bool) {
	for _, k := range t.contacts {
		if k.Slot == w.Slot {
			return k, true
		}
	}
	return now, false
}

func (t *telling) masked(k contact.Contact, stands bool) string {
	if !stands {
		return i18n.Text(t.locale, "notice.value.none")
	}
	return k.Masked()
}

func (t *telling) tellMailbox(ctx context.Context, reader string) error {
	if t.acc.Mailbox.IsZero() {
		return nil
	}
	return t.tell(ctx, t.r.toMailbox(reader, t.acc.Mailbox))
}

// tellContacts tells the contacts in force that had no part in the change. Where mailbox and contact were taken over,
// they are the genuine ones that are left.
func (t *telling) tellContacts(ctx context.Context) error {
	for _, k := range t.contacts {
		if !reachable(k) {
			continue
		}
		if err := t.tellContact(ctx, aContact, k); err != nil {
			return err
		}
	}
	return nil
}

func (t *telling) tellContact(ctx context.Context, reader string, k contact.Contact) error {
	n, ok := t.r.toContact(reader, k.Slot, k.Value)
	if !ok {
		return nil
	}
	return t.tell(ctx, n)
}

// tell sends a notice about the event to an address that was not told in full yet, as far as its allowance goes:
// whoever has several parts in a change is told once in full.
func (t *telling) tell(ctx context.Context, n Notice) error {
	if t.told[string(n.Index)] {
		return nil
	}
	if may, err := t.mayTell(ctx, n); err != nil || !may {
		return err
	}
	return t.send(n)
}

func (t *telling) send(n Notice) error {
	t.told[string(n.Index)] = n.Reader != oldOne
	t.sent++
	n.id, n.Account, n.Class, n.Template = t.id(t.sent), t.acc, ClassCritical, t.template
	n.ExpiresAt = t.tx.Now().Add(criticalLife)
	if n.Values == nil {
		n.Values = t.values
	}
	_, err := t.r.Send(t.tx, n)
	return err
}

// slotName is what people call a slot.
func slotName(l i18n.Locale, s contact.Slot) string {
	if s.Rank() > 1 {
		return i18n.Text(l, "notice.slot."+string(s.Kind())+"-n", strconv.Itoa(s.Rank()))
	}
	return i18n.Text(l, "notice.slot."+string(s.Kind()))
}
