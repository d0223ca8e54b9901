package portal

import (
	"net/http"
	"slices"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
	"countersign.dev/verify"
)

// proving is the page that starts a verification: of which contact, and the methods there are for it here.
type proving struct {
	*visit
	contact contact.Contact
	methods []verify.Method // the usual one first; none when nothing can reach it
	f       *form
	locked  bool
}

func (p *Portal) newProving(v *visit, k contact.Contact, f *form) proving {
	m := proving{visit: v, contact: k, f: f}
	switch kind := k.Slot.Kind(); {
	case kind == contact.Email && p.o.HasRoute(deliver.Email):
		m.methods = []verify.Method{verify.Code, verify.Link}
	case kind == contact.Phone && p.o.HasRoute(deliver.SMS) && newest(k).Phone.CanSMS():
		m.methods = []verify.Method{verify.SMS}
	}
	return m
}

// newest is the value that a verification is about: the one that waits, if one does.
func newest(k contact.Contact) contact.Value {
	if k.Pending != nil {
		return k.Pending.Value
	}
	return k.Value
}

// target is where the message goes, masked.
func (m proving) target() string { return newest(m.contact).Masked() }

// chosen is the method that is marked.
func (m proving) chosen() string {
	if typed := m.f.shown("method"); typed != "" {
		return typed
	}
	return string(m.methods[0])
}

// options are the methods to choose from.
func (m proving) options() (all []ui.Option) {
	for _, method := range m.methods {
		id := "portal.verify.method." + string(method)
		all = append(all, ui.Option{Value: string(method), Text: m.t(id), Hint: m.t(id + "-hint")})
	}
	return all
}

// silent tells whether no message can reach the number: it is a landline, or somebody has to dial an extension.
func (m proving) silent() bool {
	return m.contact.Slot.Kind() == contact.Phone && !newest(m.contact).Phone.CanSMS()
}

// sameAsMailbox tells whether the address fails when the mailbox does.
func (m proving) sameAsMailbox() bool {
	return slices.Contains(contact.Hints(m.account, m.contact), contact.HintSameAsMailbox)
}

// chooseMethod is the page that starts a verification. Where one is under way, that is the page to be on; an empty slot has to be
// filled first.
func (p *Portal) chooseMethod(w http.ResponseWriter, v *visit) error {
	slot, err := v.slot()
	if err != nil {
		return err
	}
	k, exists := v.contact(slot)
	if !exists {
		return v.redirect(w, v.path("contacts", slot.String(), "change"))
	}
	open, err := p.underWay(v, k)
	if err != nil {
		return err
	}
	if open.ID != "" {
		return v.redirect(w, v.path("verifications", open.ID))
	}
	return v.render(w, http.StatusOK, verifyPage(p.newProving(v, k, nil)))
}

// underWay is the verification that can still prove what stands in a slot; its ID is empty when there is none.
func (p *Portal) underWay(v *visit, k contact.Contact) (open verify.Verification, err error) {
	err = p.o.DB.Read(v.ctx(), func(tx *store.Tx) (err error) {
		open, err = p.pending(v, tx, k)
		return err
	})
	return open, err
}

func (p *Portal) pending(v *visit, tx *store.Tx, k contact.Contact) (verify.Verification, error) {
	all, err := p.o.Verifier.Pending(v.ctx(), tx, v.account)
	if open := all[k.Slot]; proves(k, open) {
		return open, err
	}
	return verify.Verification{}, err
}

// proves tells whether a verification is about what stands in its slot now, and not about what was there before a change.
func proves(k contact.Contact, one verify.Verification) bool { return one.Version == k.Version }

// startVerification sends a message. The form says which verification it would replace.
func (p *Portal) startVerification(w http.ResponseWriter, v *visit) error {
	slot, err := v.slot()
	if err != nil {
		return err
	}
	k, exists := v.contact(slot)
	if !exists {
		return v.redirect(w, v.path("contacts", slot.String(), "change"))
	}
	f, err := v.form(w)
	if err != nil {
		return err
	}
	id, err := p.begin(v, k, verify.Method(f.get("method")), f.get("replaces"))
	if err == nil {
		return v.redirect(w, v.path("verifications", id))
	}
	return p.notBegun(w, v, k, f, err)
}

// begin starts a verification unless one is under way that the form knew nothing of, and returns the one to go on with. So a form that
// is sent twice, from two tabs or after going back sends one message.
func (p *Portal) begin(v *visit, k contact.Contact, method verify.Method, replaces string) (id string, err error) {
	err = p.o.DB.Write(v.ctx(), func(tx *store.Tx) error {
		open, err := p.pending(v, tx, k)
		if id = open.ID; err != nil || id != "" && id != replaces {
			return err
		}
		started, err := p.o.Verifier.Start(v.ctx(), tx, v.account.ID, k.Slot, method, v.session.Actor())
		id = started.ID
		return err
	})
	if fault.Is(err, "resend-too-soon") { // of two that came at once, the second finds the first
		if open, readErr := p.underWay(v, k); readErr == nil && open.ID != "" && open.ID != replaces {
			return open.ID, nil
		}
	}
	return id, err
}

// notBegun shows why no message was sent: on the page of the verification that is under way, else on the one that starts it.
func (p *Portal) notBegun(w http.ResponseWriter, v *visit, k contact.Contact, f *form, cause error) error {
	m, e := p.newProving(v, k, f), fault.From(cause)
	if len(m.methods) < 2 {
		e = e.At("") // the page has no field for the method
	}
	if err := v.refuseMessage(f, e); err != nil {
		return err
	}
	open, err := p.underWay(v, k)
	if err != nil {
		return err
	}
	if open.ID != "" {
		return p.showVerification(w, v, open, f, e)
	}
	m.locked = e.ID == "slot-locked"
	return v.again(w, f, verifyPage(m))
}

// refuseMessage takes what keeps a message from being sent against the form, and says when the next one can be.
func (v *visit) refuseMessage(f *form, e *fault.Error) error {
	if err := f.refuse(e); err != nil {
		return err
	}
	switch next := v.now.Add(e.RetryAfter); {
	case e.RetryAfter == 0:
	case e.ID == "resend-too-soon":
		f.errs[0].Text = v.t("portal.wait.too-soon", v.page.In(next))
	case e.ID == "too-many-messages":
		f.errs[0].Text = v.t("portal.wait.too-many", v.page.Moment(next))
	}
	return nil
}

// contactName is what a contact is called within a sentence.
func contactName(page ui.Page, s contact.Slot) string {
	if s.Rank() == 1 {
		return page.T("portal.task." + string(s.Kind()))
	}
	return page.T("portal.task.further-"+string(s.Kind()), s.Rank())
}

// clock is a time of this day as a clock shows it, another with its day.
func clock(page ui.Page, t time.Time) string {
	if page.Date(t) != page.Date(page.Now) {
		return page.Moment(t)
	}
	return t.In(page.Zone).Format("15:04")
}
