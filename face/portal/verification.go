package portal

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
	"countersign.dev/verify"
)

// waiting is the page of a verification that can still prove its contact: where the code is typed.
type waiting struct {
	*visit
	verify.Verification
	target string // where its message went, masked
	f      *form
	other  verify.Method // the other way to verify the same contact, "" for none
	locked bool          // too many wrong codes in a row: nothing can be typed or sent
	spent  bool          // all its messages are sent: a new one needs a new start
}

// showVerification answers with the page that a verification stands at. f and e are what was wrong, if something was.
func (p *Portal) showVerification(w http.ResponseWriter, v *visit, one verify.Verification, f *form, e *fault.Error) error {
	show := func(page templ.Component) error {
		if f.wrong() {
			return v.again(w, f, page)
		}
		return v.render(w, http.StatusOK, page)
	}
	k, _ := v.contact(one.Slot)
	if one.State == verify.Pending && !proves(k, one) {
		one.State = verify.ContactChanged
	}
	switch one.State {
	case verify.Pending:
		return show(waitingPage(p.newWaiting(v, one, k, f, e)))
	case verify.Verified:
		m, err := p.newProved(v, one, k)
		if err != nil {
			return err
		}
		return show(provedPage(m))
	default:
		return show(endedPage(ended{v, one}))
	}
}

func (p *Portal) newWaiting(v *visit, one verify.Verification, k contact.Contact, f *form, e *fault.Error) waiting {
	m := waiting{visit: v, Verification: one, target: newest(k).Masked(), f: f}
	for _, method := range p.newProving(v, k, nil).methods {
		if method != one.Method {
			m.other = method
		}
	}
	if e != nil {
		m.locked = e.ID == "slot-locked"
		m.spent = e.ID == "too-many-messages" && e.RetryAfter == 0
	}
	return m
}

// verification is the page of a verification, whatever has become of it.
func (p *Portal) verification(w http.ResponseWriter, v *visit) error {
	one, err := p.named(v)
	if err != nil {
		return err
	}
	return p.showVerification(w, v, one, nil, nil)
}

// named is the verification that the path names, if it is the account's.
//
// Faults: NotFound "unknown-verification".
func (p *Portal) named(v *visit) (one verify.Verification, err error) {
	err = p.o.DB.Read(v.ctx(), func(tx *store.Tx) (err error) {
		one, err = p.o.Verifier.ForHolder(v.ctx(), tx, v.account, v.r.PathValue("id"))
		return err
	})
	return one, err
}

// checkCode takes a code. The right one leads on to the page that says so; it does when it is sent again, too.
func (p *Portal) checkCode(w http.ResponseWriter, v *visit) error {
	one, err := p.named(v)
	if err != nil {
		return err
	}
	f, err := v.form(w)
	if err != nil {
		return err
	}
	err = p.o.Verifier.Check(v.ctx(), one.ID, f.get("code"), v.session.Actor(), verify.Around{})
	if err == nil || fault.Is(err, "already-used") {
		return v.redirect(w, v.path("verifications", one.ID))
	}
	if err := f.refuse(err); err != nil {
		return err
	}
	return p.showAgain(w, v, f, err)
}

// resend sends another message, unless one was sent since the form was made.
func (p *Portal) resend(w http.ResponseWriter, v *visit) error {
	one, err := p.named(v)
	if err != nil {
		return err
	}
	f, err := v.form(w)
	if err != nil {
		return err
	}
	if seen := f.get("seen"); seen != "" && seen != stamp(one.ResendAfter) {
		return v.redirect(w, v.path("verifications", one.ID))
	}
	err = p.o.DB.Write(v.ctx(), func(tx *store.Tx) error {
		_, err := p.o.Verifier.Resend(v.ctx(), tx, one.ID, v.session.Actor())
		return err
	})
	if err == nil {
		return v.redirect(w, v.path("verifications", one.ID))
	}
	if err := v.refuseMessage(f, fault.From(err)); err != nil {
		return err
	}
	return p.showAgain(w, v, f, err)
}

// showAgain shows the verification as it stands now, with what was wrong.
func (p *Portal) showAgain(w http.ResponseWriter, v *visit, f *form, cause error) error {
	one, err := p.named(v)
	if err != nil {
		return err
	}
	return p.showVerification(w, v, one, f, fault.From(cause))
}

// stamp tells one time from another in a form.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 36) }

// frame is the page with its live region.
func (m waiting) frame() ui.Page {
	page := m.titled(m.t("portal.code.title-" + string(m.Method)))
	page.Live, page.LiveFrom = !m.locked, m.path("verifications", m.ID)
	return page
}

// medium ends the ids of texts that differ by how the message travels.
func (m waiting) medium() string { return string(m.Slot.Kind()) }

// lost tells whether the newest message will not arrive.
func (m waiting) lost() bool {
	return m.Delivery == string(deliver.StateRefused) || m.Delivery == string(deliver.StateExpired)
}

// delayed tells whether the message was tried and has to be tried again.
func (m waiting) delayed() bool {
	return m.Delivery == string(deliver.StateQueued) && m.Attempts > 0 && m.Words != ""
}

// said is what the other side said of the message, on one line, and short enough to be read.
func (m waiting) said() string {
	const most = 300
	said := []rune(strings.Join(strings.Fields(m.Words), " "))
	if len(said) > most {
		return string(said[:most]) + "…"
	}
	return string(said)
}

// ended is the page of a verification that proved nothing.
type ended struct {
	*visit
	verify.Verification
}

// id begins the texts of the page. Whatever is over and has no words of its own reads as expired.
func (m ended) id() string {
	switch m.State {
	case verify.Exhausted, verify.Superseded, verify.ContactChanged:
		return "portal.ended." + string(m.State)
	}
	if m.Method == verify.Link {
		return "portal.ended.expired-link"
	}
	return "portal.ended.expired"
}

// again tells whether the way on is the same once more; if not, it is the page of the slot.
func (m ended) again() bool { return m.State == verify.Expired || m.State == verify.Exhausted }

// proved is the page of a verification that proved its contact.
type proved struct {
	*visit
	verify.Verification
	contact  contact.Contact
	current  bool           // it is what the contact rests on
	replaced contact.Window // what it put out of use; its ID is empty when it was nothing
}

func (p *Portal) newProved(v *visit, one verify.Verification, k contact.Contact) (m proved, err error) {
	m = proved{visit: v, Verification: one, contact: k}
	m.current = k.State == contact.Verified && !k.VerifiedAt.Before(one.StartedAt)
	if !m.current {
		return m, nil
	}
	var open []contact.Window
	err = p.o.DB.Read(v.ctx(), func(tx *store.Tx) (err error) {
		open, err = p.o.Contacts.Windows(v.ctx(), tx, v.account.ID)
		return err
	})
	for _, w := range open {
		if w.Slot == one.Slot && w.EffectiveAt.Equal(k.VerifiedAt) {
			m.replaced = w
		}
	}
	return m, err
}

// next is the contact to verify after this one: the first of the other kind. missing says that it has to be given first. None is left
// when it is verified, or may not be touched.
func (m proved) next() (slot contact.Slot, missing, left bool) {
	name := contact.Email
	if m.Slot.Kind() == contact.Email {
		name = contact.Phone
	}
	slot, _ = contact.ParseSlot(string(name)) // the name of a kind is that of its first slot
	k, exists := m.visit.contact(slot)
	return slot, !exists, exists && k.State != contact.Verified || !exists && m.may(auth.Change)
}
