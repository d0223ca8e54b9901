package portal

import (
	"net/http"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// changing is the page on which a contact is given or changed.
type changing struct {
	*visit
	slot    contact.Slot
	contact contact.Contact
	exists  bool
	f       *form
}

func (v *visit) changing(f *form) (m changing, err error) {
	m = changing{visit: v, f: f}
	if m.slot, err = v.slot(); err != nil {
		return m, err
	}
	m.contact, m.exists = v.contact(m.slot)
	return m, nil
}

// title is the heading: there may be nothing yet.
func (m changing) title() string {
	if m.exists {
		return m.t("portal.change.title", contactName(m.page, m.slot))
	}
	return m.t("portal.change.title-add", contactName(m.page, m.slot))
}

// phoneHint says how a number is written: one without a country code is read as one of the account's country.
func (m changing) phoneHint() string {
	region, err := language.ParseRegion(m.account.Country)
	if err != nil {
		return m.t("portal.change.hint-phone")
	}
	country := display.Regions(language.MustParse(string(m.page.Locale))).Name(region)
	return m.t("portal.change.hint-phone-of", country)
}

// editContact is the page with the form.
func (p *Portal) editContact(w http.ResponseWriter, v *visit) error {
	m, err := v.changing(nil)
	if err != nil {
		return err
	}
	return v.render(w, http.StatusOK, changePage(m))
}

// setContact takes a new value and goes on to verify it. The form sent again does nothing more.
func (p *Portal) setContact(w http.ResponseWriter, v *visit) error {
	f, err := v.form(w)
	if err != nil {
		return err
	}
	m, err := v.changing(f)
	if err != nil {
		return err
	}
	var now contact.Contact
	err = p.o.DB.Write(v.ctx(), func(tx *store.Tx) (err error) {
		now, _, err = p.o.Contacts.Set(v.ctx(), tx, v.account.ID, m.slot, f.get("value"), f.get("extension"), v.session.Actor())
		return err
	})
	if err == nil && m.isStill(now) {
		f.add("value", v.t("portal.change.same"))
	}
	if err := f.refuse(err); err != nil {
		return err
	}
	if f.wrong() {
		return v.again(w, f, changePage(m))
	}
	return v.redirect(w, v.path("contacts", m.slot.String(), "verify"))
}

// isStill tells whether what was set is what is verified already.
func (m changing) isStill(now contact.Contact) bool {
	return now.State == contact.Verified && now.Pending == nil && now.Version == m.contact.Version
}

// withdrawChange keeps what is in force, and forgets the value that waits.
func (p *Portal) withdrawChange(w http.ResponseWriter, v *visit) error {
	m, err := v.changing(nil)
	if err != nil {
		return err
	}
	if m.contact.Pending == nil {
		return v.redirect(w, v.path())
	}
	value, extension := m.contact.Email.String(), ""
	if m.slot.Kind() == contact.Phone {
		value, extension = m.contact.Phone.E164, m.contact.Phone.Extension
	}
	err = p.o.DB.Write(v.ctx(), func(tx *store.Tx) error {
		k, _, err := p.o.Contacts.Set(v.ctx(), tx, v.account.ID, m.slot, value, extension, v.session.Actor())
		if err == nil && k.Pending != nil { // the value that waited was verified meanwhile: the old one would now be a change
			err = fault.New(fault.Conflict, "contact-changed")
		}
		return err
	})
	if fault.Is(err, "contact-changed") {
		return v.redirect(w, v.path())
	}
	if err != nil {
		return err
	}
	return v.redirect(w, v.path()+"?done=withdrawn")
}
