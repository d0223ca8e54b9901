package portal

import (
	"net/http"
	"strconv"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// removing is the page that asks before a contact is removed.
type removing struct {
	*visit
	contact contact.Contact
	f       *form
}

// told tells whether others are told of the removal: the contact is one that we reach somebody at.
func (m removing) told() bool { return m.contact.InForce() }

// toldText is the text that says who is told.
func (m removing) toldText() string {
	if m.account.Mailbox.IsZero() {
		return "portal.remove.told-alone"
	}
	return "portal.remove.told"
}

// last tells whether no verified contact is left without this one.
func (m removing) last() bool {
	if m.contact.State != contact.Verified {
		return false
	}
	for _, k := range m.contacts {
		if k.Slot != m.contact.Slot && k.State == contact.Verified {
			return false
		}
	}
	return true
}

// version tells the form which value it was shown for.
func (m removing) version() string { return strconv.FormatInt(m.contact.Version, 10) }

// confirmRemoval is the page that says what a removal does.
func (p *Portal) confirmRemoval(w http.ResponseWriter, v *visit) error {
	slot, err := v.slot()
	if err != nil {
		return err
	}
	k, exists := v.contact(slot)
	if !exists {
		return v.redirect(w, v.path())
	}
	return v.render(w, http.StatusOK, removePage(removing{v, k, nil}))
}

// removeContact removes what the page showed. Sent again, it finds nothing and says that it is done.
func (p *Portal) removeContact(w http.ResponseWriter, v *visit) error {
	slot, err := v.slot()
	if err != nil {
		return err
	}
	f, err := v.form(w)
	if err != nil {
		return err
	}
	k, exists := v.contact(slot)
	m := removing{v, k, f}
	if exists && f.get("version") != m.version() {
		f.add("", v.t("portal.remove.changed"))
		f.status = http.StatusConflict
		return v.again(w, f, removePage(m))
	}
	err = p.o.DB.Write(v.ctx(), func(tx *store.Tx) error {
		return p.o.Contacts.Delete(v.ctx(), tx, v.account.ID, slot, v.session.Actor())
	})
	if err != nil && !fault.Is(err, "unknown-contact") {
		return err
	}
	return v.redirect(w, v.path()+"?done=removed")
}
