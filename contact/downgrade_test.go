package contact_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func TestDowngrade(t *testing.T) {
	tests := []struct {
		name     string
		verified bool
		before   contact.Reason
		reason   contact.Reason
		ok       bool
	}{
		{"an unverified one bounces", false, "", contact.Bounced, true},
		{"a verified one bounces", true, "", contact.Bounced, true},
		{"a verified one is disputed", true, "", contact.Disputed, true},
		{"an expired one bounces", true, contact.Expired, contact.Bounced, true},
		{"one on a landline is disconnected", true, contact.Landline, contact.Disconnected, true},
		{"a bounced one bounces again", true, contact.Bounced, contact.Bounced, false},
		{"a disputed one bounces", true, contact.Disputed, contact.Bounced, false},
		{"a bounced one is on a landline", true, contact.Bounced, contact.Landline, false},
		{"a landline given new", false, "", contact.Landline, false},
		{"a verified one is on a landline", true, "", contact.Landline, true},
	}
	engines(t, func(t *testing.T, b *bundle) {
		if b.downgrade(t, phone, contact.Bounced) {
			t.Error("an empty slot was downgraded")
		}
		for _, test := range tests {
			b.set(t, phone, "+44 7400 123456")
			if test.verified {
				b.verify(t, phone)
			}
			if test.before != "" {
				b.downgrade(t, phone, test.before)
			}
			before := b.target(t, phone).Contact
			b.news(t, seller)
			if ok := b.downgrade(t, phone, test.reason); ok != test.ok {
				t.Errorf("%s: %v", test.name, ok)
			}
			got := b.target(t, phone).Contact
			if !test.ok {
				b.wantNews(t)
				if got != before {
					t.Errorf("%s: %+v", test.name, got)
				}
			} else {
				e := b.wantNews(t, "contact.needs_update")["contact.needs_update"]
				if e.Body["reason"] != string(test.reason) || e.Body["slot"] != "phone" {
					t.Errorf("%s: body %v", test.name, e.Body)
				}
				if got.State != contact.NeedsUpdate || got.Reason != test.reason || got.Value.String() != before.Value.String() ||
					got.Version != before.Version {
					t.Errorf("%s: %+v", test.name, got)
				}
			}
			if test.reason == contact.Landline && test.ok && got.Line != "fixed_line" {
				t.Errorf("the line is %s", got.Line)
			}
			b.delete(t, phone)
		}
	})
}

// refusals is a mail server's side of a bundle: what deliveries went to, and how many failed lately.
type refusals struct {
	target            []byte
	refused, finished int
}

func (r *refusals) options() contact.Options {
	return contact.Options{
		TargetOf: func(context.Context, *store.Tx, string, string) ([]byte, error) {
			if r.target == nil {
				return nil, store.ErrNoRows
			}
			return r.target, nil
		},
		Refusals: func(context.Context, *store.Tx, time.Time) (int, int, error) { return r.refused, r.finished, nil },
	}
}

func (b *bundle) refuse(t *testing.T, e event.Event) error {
	t.Helper()
	return b.try(t, func(ctx context.Context, tx *store.Tx) error { return b.DeliveryRefused(ctx, tx, e) })
}

func (b *bundle) refusal(s contact.Slot) event.Event {
	return event.Event{
		Type: "delivery.refused", Account: seller, Subject: "delivery-1", At: b.clock.Now(),
		Body: map[string]any{"slot": s.String(), "recipient": true, "enhanced": "5.1.1"},
	}
}

func TestDeliveryRefused(t *testing.T) {
	var r refusals
	enginesWith(t, r.options(), func(t *testing.T, b *bundle) {
		for _, verified := range []bool{false, true} {
			k := b.set(t, email, "Ann@example.com")
			r.target = b.keys.Index("email", k.Email.Key())
			if verified {
				b.verify(t, email)
			}
			b.news(t, seller)
			for range 2 { // an event may come twice
				if err := b.refuse(t, b.refusal(email)); err != nil {
					t.Fatal(err)
				}
			}
			if e := b.wantNews(t, "contact.needs_update")["contact.needs_update"]; e.Body["reason"] != "bounced" || e.Actor != event.System {
				t.Errorf("event %+v", e)
			}
			if k := b.target(t, email).Contact; k.State != contact.NeedsUpdate || k.Reason != contact.Bounced {
				t.Errorf("got %+v", k)
			}
			b.delete(t, email)
			b.clock.Advance(time.Second)
		}
	})
}

func TestRefusalsThatProveNothing(t *testing.T) {
	var r refusals
	enginesWith(t, r.options(), func(t *testing.T, b *bundle) {
		k := b.set(t, email, "ann@example.com")
		index := b.keys.Index("email", k.Email.Key())
		early := b.refusal(email)
		b.clock.Advance(time.Second)
		b.verify(t, email)
		b.news(t, seller)

		policy, mailbox, stranger := b.refusal(email), b.refusal(email), b.refusal(email)
		policy.Body["recipient"] = false
		mailbox.Body["slot"] = ""
		stranger.Account = "nobody"
		for name, test := range map[string]struct {
			target []byte
			e      event.Event
		}{
			"before it was verified":         {index, early},
			"not about the recipient":        {index, policy},
			"of the mailbox":                 {index, mailbox},
			"of an account that is gone":     {index, stranger},
			"of a delivery that is gone":     {nil, b.refusal(email)},
			"of an address that was changed": {b.keys.Index("email", "other@example.com"), b.refusal(email)},
			"of a slot that is empty":        {index, b.refusal(phone)},
		} {
			r.target = test.target
			if err := b.refuse(t, test.e); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.wantNews(t)
		if k := b.target(t, email).Contact; k.State != contact.Verified {
			t.Errorf("got %+v", k)
		}
	})
}

func TestAPendingValueIsRefused(t *testing.T) {
	var r refusals
	enginesWith(t, r.options(), func(t *testing.T, b *bundle) {
		b.set(t, email, "old@example.com")
		b.verify(t, email)
		pending := b.set(t, email, "new@example.com")
		r.target = b.keys.Index("email", "new@example.com")
		b.news(t, seller)
		for range 2 {
			if err := b.refuse(t, b.refusal(email)); err != nil {
				t.Fatal(err)
			}
		}
		e := b.wantNews(t, "contact.change_refused")["contact.change_refused"]
		if e.Body["reason"] != "bounced" {
			t.Errorf("body %v", e.Body)
		}
		k := b.target(t, email).Contact
		if k.State != contact.Verified || k.Pending != nil || k.Email.String() != "old@example.com" {
			t.Errorf("got %+v", k)
		}
		if b.prove(t, email, pending.Version) {
			t.Error("a code for the refused value proved the old one")
		}
		if n := b.count(t, "SELECT COUNT(*) FROM contact_change"); n != 0 {
			t.Errorf("%d changes wait", n)
		}
	})
}

func TestDowngradesPauseInAMass(t *testing.T) {
	var r refusals
	enginesWith(t, r.options(), func(t *testing.T, b *bundle) {
		watch := func() int64 {
			if err := b.WatchRefusals(t.Context(), b.db); err != nil {
				t.Fatal(err)
			}
			return b.count(t, "SELECT COUNT(*) FROM event WHERE type = 'downgrades.paused' AND account_id = ''")
		}
		k := b.set(t, email, "ann@example.com")
		r = refusals{target: b.keys.Index("email", k.Email.Key()), refused: 20, finished: 39}
		b.news(t, seller)
		if err := b.refuse(t, b.refusal(email)); !errors.Is(err, event.ErrLater) {
			t.Errorf("got %v", err)
		}
		other := b.refusal(phone) // nothing to downgrade, so nothing to wait for
		if err := b.refuse(t, other); err != nil {
			t.Errorf("got %v", err)
		}
		b.wantNews(t)
		for range 3 {
			if n := watch(); n != 1 {
				t.Errorf("told %d times", n)
			}
			b.clock.Advance(time.Minute)
		}
		b.clock.Advance(time.Hour)
		if n := watch(); n != 2 {
			t.Errorf("told %d times", n)
		}

		for _, calm := range []refusals{{refused: 20, finished: 40}, {refused: 19, finished: 19}} {
			r.refused, r.finished = calm.refused, calm.finished
			b.clock.Advance(2 * time.Hour)
			if n := watch(); n != 2 {
				t.Errorf("told %d times", n)
			}
		}
		if err := b.refuse(t, b.refusal(email)); err != nil {
			t.Error(err)
		}
		b.wantNews(t, "contact.needs_update")
	})
}
