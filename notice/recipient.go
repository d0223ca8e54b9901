package notice

import (
	"countersign.dev/base/address"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
)

// reachable tells whether a contact gets critical notices in writing.
func reachable(k contact.Contact) bool {
	return k.State == contact.Verified || k.State == contact.NeedsUpdate && k.Reason == contact.Expired
}

func (r *Registry) toMailbox(reader string, to address.Email) Notice {
	return Notice{Reader: reader, Channel: deliver.Email, To: to.String(), Index: r.index(contact.Value{Email: to})}
}

// toContact addresses a notice; not ok when no message in writing can reach the contact.
func (r *Registry) toContact(reader string, slot contact.Slot, v contact.Value) (n Notice, ok bool) {
	n = Notice{Reader: reader, Slot: slot.String(), Channel: deliver.Email, To: v.Email.String(), Index: r.index(v)}
	if slot.Kind() == contact.Email {
		return n, true
	}
	n.Channel, n.To, n.Country = deliver.SMS, v.Phone.E164, v.Phone.Country
	return n, r.o.Queue.Has(deliver.SMS) && v.Phone.CanSMS()
}

// index is the blind index of an address, in the domain of its kind.
func (r *Registry) index(v contact.Value) []byte {
	if v.Phone.IsZero() {
		return r.o.Keys.Index(string(contact.Email), v.Email.Key())
	}
	return r.o.Keys.Index(string(contact.Phone), v.Phone.Key())
}
