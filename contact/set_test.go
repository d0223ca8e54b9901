package contact_test

import (
	"context"
	"testing"
	"time"

	"countersign.dev/base/address"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func TestSetNew(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		k := b.set(t, email, "Ann@Example.com")
		if k.Account != seller || k.Slot != email || k.State != contact.Unverified || k.Email.String() != "Ann@example.com" ||
			k.Version == 0 || k.SetAt != start || !k.VerifiedAt.IsZero() || !k.DueAt.IsZero() || k.Pending != nil {
			t.Errorf("got %+v", k)
		}
		e := b.wantNews(t, "contact.set")["contact.set"]
		if e.Subject != "email" || e.Actor != actor || e.Body["slot"] != "email" || e.Body["kind"] != "email" ||
			e.Body["version"] != float64(k.Version) || len(e.Body) != 3 {
			t.Errorf("event %+v", e)
		}
		b.clock.Advance(time.Hour)
		if again := b.set(t, email, "Ann@example.com"); again != k {
			t.Errorf("setting the same value gave %+v", again)
		}
		b.wantNews(t)
	})
}

func TestSetPhone(t *testing.T) {
	tests := []struct {
		name, value, extension string
		want                   string
		line                   address.LineType
		hint                   string
	}{
		{"a mobile of the account's country", "07400 123456", "", "+447400123456", address.Mobile, ""},
		{"international", "+86 138 0013 8000", "", "+8613800138000", address.Mobile, ""},
		{"full-width digits", "＋８６１３８００１３８０００", "", "+8613800138000", address.Mobile, ""},
		{"a fixed line", "(020) 7946 0000 ext. 12", "", "+442079460000;ext=12", address.FixedLine, contact.HintNoSMS},
		{"an extension of its own", "020 7946 0000", "12", "+442079460000;ext=12", address.FixedLine, contact.HintNoSMS},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for _, test := range tests {
			b.write(t, func(ctx context.Context, tx *store.Tx) error {
				k, hints, err := b.Set(ctx, tx, seller, phone, test.value, test.extension, actor)
				if err != nil || k.Phone.String() != test.want || k.Line != test.line || k.State != contact.Unverified {
					t.Errorf("%s: %s %s %s, %v", test.name, k.Phone.String(), k.Line, k.State, err)
				}
				if (test.hint == "") != (len(hints) == 0) || test.hint != "" && hints[0] != test.hint {
					t.Errorf("%s: hints %v", test.name, hints)
				}
				return nil
			})
			if got := b.target(t, phone); got.Phone.Country == "" || got.Phone.Line != test.line || got.Phone.String() != test.want {
				t.Errorf("%s: stored %+v", test.name, got.Phone)
			}
		}
	})
}

func TestSetRefuses(t *testing.T) {
	tests := []struct {
		account          string
		slot             contact.Slot
		value, extension string
		id, field        string
	}{
		{"nobody", email, "ann@example.com", "", "unknown-account", ""},
		{seller, email, "ann@example.com\r\nBcc: all@example.com", "", "email-control-character", "value"},
		{seller, email, "ann@example.com", "12", "extension-of-an-email", "extension"},
		{seller, email, "+86 138 0013 8000", "", "email-no-at", "value"},
		{seller, phone, "020", "", "phone-too-short", "value"},
		{seller, phone, "020 7946 0000", "abc", "phone-extension-not-digits", "extension"},
		{seller, phone, "138 0013 8000", "", "phone-too-long", "value"},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for _, test := range tests {
			err := b.try(t, func(ctx context.Context, tx *store.Tx) error {
				_, _, err := b.Set(ctx, tx, test.account, test.slot, test.value, test.extension, actor)
				return err
			})
			wantFault(t, err, test.id, test.field)
		}
		if n := b.count(t, "SELECT COUNT(*) FROM contact"); n != 0 {
			t.Errorf("%d contacts half written", n)
		}
		b.wantNews(t)
	})
}

// What a new value does to a contact of each state.
func TestSetOverEachState(t *testing.T) {
	tests := []struct {
		verified bool
		reason   contact.Reason
		waits    bool // the old one stays in force
		window   bool // both sides are told at once
	}{
		{false, "", false, false},
		{false, contact.Bounced, false, false},
		{true, "", true, false},
		{true, contact.Expired, true, false},
		{true, contact.Landline, true, false},
		{true, contact.Bounced, false, true},
		{true, contact.Complaint, false, true},
		{true, contact.Disconnected, false, true},
		{true, contact.Disputed, false, true},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for i, test := range tests {
			s := slot([]string{"phone", "phone-2", "phone-3", "phone-4", "phone-5", "phone", "phone-2", "phone-3", "phone-4"}[i])
			if i >= 5 {
				b.delete(t, s)
				b.clock.Advance(4 * day) // out of that window
			}
			before := b.set(t, s, "+44 7400 123456")
			if test.verified {
				b.verify(t, s)
			}
			if test.reason != "" && !b.downgrade(t, s, test.reason) {
				t.Fatalf("%v: no downgrade", test)
			}
			b.news(t, seller)
			after := b.set(t, s, "+44 7400 654321")
			if after.Version <= before.Version {
				t.Errorf("%v: the version went from %d to %d", test, before.Version, after.Version)
			}
			if test.waits {
				b.wantNews(t, "contact.change_requested")
				if after.State == contact.Unverified || after.Phone.E164 != "+447400123456" || after.Pending == nil ||
					after.Pending.Phone.E164 != "+447400654321" || after.Pending.At != b.clock.Now() {
					t.Errorf("%v: %+v", test, after)
				}
			} else if after.State != contact.Unverified || after.Reason != "" || after.Phone.E164 != "+447400654321" ||
				after.Pending != nil || !after.VerifiedAt.IsZero() {
				t.Errorf("%v: %+v", test, after)
			}
			open := b.windows(t)
			switch {
			case test.window:
				b.wantNews(t, "contact.set", "contact.changed")
				if w := open[len(open)-1]; w.Slot != s || w.Kind != contact.Changed || w.Old.Phone.E164 != "+447400123456" ||
					w.Until != b.clock.Now().Add(72*time.Hour) || w.Version != after.Version {
					t.Errorf("%v: %+v", test, w)
				}
			case !test.waits:
				b.wantNews(t, "contact.set")
			}
			b.clock.Advance(4 * day)
		}
	})
}

func TestPendingChange(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "old@example.com")
		b.verify(t, email)
		first := b.set(t, email, "new@example.com")
		b.clock.Advance(time.Minute)
		if same := b.set(t, email, "new@example.com"); same.Version != first.Version {
			t.Error("the same pending value got a new version")
		}
		second := b.set(t, email, "newer@example.com")
		if second.Version <= first.Version || second.Pending.Email.String() != "newer@example.com" || second.State != contact.Verified {
			t.Errorf("got %+v", second)
		}
		if n := b.count(t, "SELECT COUNT(*) FROM contact_change"); n != 1 {
			t.Errorf("%d changes wait", n)
		}
		if target := b.target(t, email); target.Email.String() != "newer@example.com" || target.Version != second.Version ||
			target.Contact.Email.String() != "old@example.com" {
			t.Errorf("target %+v", target)
		}
		b.news(t, seller)
		back := b.set(t, email, "old@example.com")
		if back.Pending != nil || back.State != contact.Verified || back.Version <= second.Version {
			t.Errorf("got %+v", back)
		}
		b.wantNews(t, "contact.change_cancelled")
		if n := b.count(t, "SELECT COUNT(*) FROM contact_change"); n != 0 {
			t.Errorf("%d changes wait", n)
		}
		if b.prove(t, email, second.Version) {
			t.Error("a code for the cancelled value proved the old one")
		}
	})
}

func TestSetOverABouncedContactWithAPendingChange(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "old@example.com")
		b.verify(t, email)
		b.set(t, email, "new@example.com")
		b.downgrade(t, email, contact.Bounced)
		k := b.set(t, email, "newest@example.com")
		if k.State != contact.Unverified || k.Pending != nil || k.Email.String() != "newest@example.com" {
			t.Errorf("got %+v", k)
		}
		open := b.windows(t)
		if len(open) != 1 || open[0].Old.Email.String() != "old@example.com" || open[0].Version != k.Version {
			t.Errorf("windows %+v", open)
		}
	})
}

func TestDelete(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		remove := func(id string, s contact.Slot) error {
			return b.try(t, func(ctx context.Context, tx *store.Tx) error { return b.Delete(ctx, tx, id, s, actor) })
		}
		wantFault(t, remove("nobody", email), "unknown-account", "")
		wantFault(t, remove(seller, email), "unknown-contact", "")

		first := b.set(t, email, "ann@example.com")
		b.news(t, seller)
		b.delete(t, email)
		if e := b.wantNews(t, "contact.removed")["contact.removed"]; e.Body["window_until"] != nil {
			t.Errorf("an unverified contact opened a window: %v", e.Body)
		}
		wantFault(t, remove(seller, email), "unknown-contact", "")
		b.read(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := b.Target(ctx, tx, seller, email)
			wantFault(t, err, "unknown-contact", "")
			views, err := b.View(ctx, tx, seller)
			if len(views) != 0 {
				t.Errorf("still shown: %+v", views)
			}
			return err
		})

		second := b.set(t, email, "ann@example.com") // the clock stands, and the version is new all the same
		if second.Version <= first.Version+1 || second.State != contact.Unverified {
			t.Errorf("versions %d, %d", first.Version, second.Version)
		}
		if b.prove(t, email, first.Version) {
			t.Error("a code from before the removal proved the contact")
		}
		b.verify(t, email)
		b.news(t, seller)
		b.delete(t, email)
		if e := b.wantNews(t, "contact.removed")["contact.removed"]; e.Body["window_until"] != "2026-03-04T09:00:00Z" {
			t.Errorf("body %v", e.Body)
		}
		if open := b.windows(t); len(open) != 1 || open[0].Kind != contact.Removed || open[0].Old.Email.String() != "ann@example.com" ||
			open[0].EffectiveAt != start || open[0].Until != start.Add(3*day) {
			t.Errorf("windows %+v", open)
		}
	})
}

func TestASecondChangeShortensNoWindow(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "one@example.com")
		b.verify(t, email)
		b.set(t, email, "two@example.com")
		b.verify(t, email)
		b.clock.Advance(day)
		b.set(t, email, "three@example.com")
		b.verify(t, email)
		b.clock.Advance(day)
		b.delete(t, email)
		open := b.windows(t)
		if len(open) != 3 {
			t.Fatalf("windows %+v", open)
		}
		for i, old := range []string{"one@example.com", "two@example.com", "three@example.com"} {
			if open[i].Old.Email.String() != old || open[i].Until != start.Add(time.Duration(i+3)*day) {
				t.Errorf("window %d: %s until %v", i, open[i].Old, open[i].Until)
			}
		}
		b.clock.Set(start.Add(3 * day))
		if open := b.windows(t); len(open) != 2 {
			t.Errorf("windows %+v", open)
		}
	})
}

func TestDeleteWithAPendingChange(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "old@example.com")
		b.verify(t, email)
		pending := b.set(t, email, "new@example.com")
		b.delete(t, email)
		if b.prove(t, email, pending.Version) {
			t.Error("a code for the pending value proved a removed contact")
		}
		if open := b.windows(t); len(open) != 1 || open[0].Kind != contact.Removed || open[0].Old.Email.String() != "old@example.com" {
			t.Errorf("windows %+v", open)
		}
	})
}

func TestSharedNumber(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for _, id := range []string{"other-1", "other-2"} {
			b.account(t, id)
			b.write(t, func(ctx context.Context, tx *store.Tx) error {
				for _, s := range []contact.Slot{phone, slot("phone-2")} {
					if _, _, err := b.Set(ctx, tx, id, s, "+44 7400 123456", "", actor); err != nil {
						return err
					}
				}
				return nil
			})
		}
		b.set(t, phone, "+44 7400 123456")
		e := b.wantNews(t, "contact.set", "contact.shared")["contact.shared"]
		if e.Body["accounts"] != 2.0 || len(e.Body) != 3 {
			t.Errorf("body %v", e.Body)
		}
		b.set(t, phone, "+44 7400 654321")
		b.wantNews(t, "contact.set")
	})
}
