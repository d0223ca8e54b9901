package contact_test

import (
	"testing"

	"countersign.dev/contact"
)

func TestParseSlot(t *testing.T) {
	for text, want := range map[string]struct {
		kind contact.Kind
		rank int
	}{
		"email": {contact.Email, 1}, "phone": {contact.Phone, 1},
		"email-2": {contact.Email, 2}, "email-5": {contact.Email, 5}, "phone-3": {contact.Phone, 3},
	} {
		s, err := contact.ParseSlot(text)
		if err != nil || s.Kind() != want.kind || s.Rank() != want.rank || s.String() != text {
			t.Errorf("%s: %s %d %s, %v", text, s.Kind(), s.Rank(), s, err)
		}
	}
	for _, text := range []string{
		"", "-", "fax", "Email", "email-", "email-0", "email-1", "email-6", "email-02", "email-22", "email-2-2",
		"email ", "phone-٢", "email-\x002",
	} {
		_, err := contact.ParseSlot(text)
		wantFault(t, err, "unknown-slot", "slot")
	}
}

func FuzzParseSlot(f *testing.F) {
	f.Add("email")
	f.Add("phone-5")
	f.Add("email-6")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := contact.ParseSlot(text)
		if err != nil {
			return
		}
		again, err := contact.ParseSlot(s.String())
		if err != nil || again != s || s.String() != text {
			t.Errorf("%q: %v, %v", text, again, err)
		}
	})
}

func TestParseSlotState(t *testing.T) {
	s, state, err := contact.ParseSlotState("phone-2:needs_update")
	if err != nil || s != slot("phone-2") || state != contact.NeedsUpdate {
		t.Errorf("%s %s, %v", s, state, err)
	}
	for _, text := range []string{"", "phone", "phone:", "phone:removed", "phone:Verified", "fax:verified", ":verified"} {
		_, _, err := contact.ParseSlotState(text)
		wantFault(t, err, "slot-state-invalid", "slot_state")
	}
}
