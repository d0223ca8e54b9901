package portal

import (
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// standing is all that is known of a slot.
type standing struct {
	slot    contact.Slot
	contact *contact.Contact     // nil: none
	pending *verify.Verification // nil: none
	wait    contact.Wait
}

// What a slot needs, beside the reasons for which a contact needs an update. The texts of the catalogue are named after both.
const (
	missing    = "missing"
	unverified = "unverified"
	change     = "change" // a new value waits for its proof
	nothing    = ""
)

// situation names what a slot needs.
func (s standing) situation() string {
	switch k := s.contact; {
	case k == nil:
		return missing
	case k.State == contact.NeedsUpdate:
		return string(k.Reason)
	case k.State == contact.Unverified:
		return unverified
	case k.Pending != nil:
		return change
	}
	return nothing
}

// failing tells whether a contact is not used any more.
func (s standing) failing() bool {
	switch contact.Reason(s.situation()) {
	case contact.Bounced, contact.Complaint, contact.Disconnected, contact.Disputed:
		return true
	}
	return false
}

// dead tells whether nothing that we write arrives, so that another value helps more than another try.
func (s standing) dead() bool {
	switch contact.Reason(s.situation()) {
	case contact.Bounced, contact.Disconnected, contact.Landline:
		return s.contact.Pending == nil
	}
	return false
}

// deferrable tells whether a slot can be put off, or put off longer.
func (s standing) deferrable() bool {
	what := s.situation()
	return what != nothing && what != change && s.wait.TimesLeft > 0 && s.wait.DaysLeft > 0
}

// sent names what became of the message of the verification under way, as the catalogue does.
func (s standing) sent() string {
	switch deliver.State(s.pending.Delivery) {
	case deliver.StateRefused, deliver.StateExpired:
		return "failed"
	}
	return string(s.pending.Method)
}

// urgency orders what there is to do on a page.
type urgency int

const (
	calm    urgency = iota
	absent          // the first contact of its kind is missing
	unsure          // a value waits for its proof, or its proof grew old
	lost            // we cannot reach anybody here any more
	codeOut         // a code waits to be typed in
)

// urgency tells how much a slot needs somebody now. What is put off does not press.
func (s standing) urgency(v *visit) urgency {
	switch what := s.situation(); {
	case s.pending != nil:
		return codeOut
	case what == nothing || s.wait.Until.After(v.now):
		return calm
	case what == missing:
		return absent
	case s.failing():
		return lost
	}
	return unsure
}
