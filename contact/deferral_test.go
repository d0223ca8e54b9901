package contact_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func (b *bundle) deferUntil(t *testing.T, s contact.Slot, until time.Time, reason string) (d contact.Deferral, err error) {
	t.Helper()
	err = b.try(t, func(ctx context.Context, tx *store.Tx) (err error) {
		d, err = b.Defer(ctx, tx, seller, s, until, reason, actor)
		return err
	})
	return d, err
}

func TestDefer(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		const reason = "Waiting for the new SIM card"
		until := start.Add(5 * day)
		d, err := b.deferUntil(t, phone, until.In(time.FixedZone("", 3600)), " "+reason+" ")
		if err != nil || d.ID == "" || d.Slot != phone || d.Until != until || d.DaysLeft != 9 || d.TimesLeft != 2 {
			t.Errorf("got %+v, %v", d, err)
		}
		e := b.wantNews(t, "contact.deferred")["contact.deferred"]
		if e.Subject != "phone" || e.Body["until"] != "2026-03-06T09:00:00Z" || len(e.Body) != 3 {
			t.Errorf("event %+v", e)
		}
		var sealed []byte
		b.read(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRow(ctx, "SELECT reason FROM deferral WHERE account_id = $1", seller).Scan(&sealed)
		})
		if len(sealed) == 0 || bytes.Contains(sealed, []byte("SIM")) {
			t.Errorf("the reason is stored as %q", sealed)
		}
	})
}

func TestDeferralBudget(t *testing.T) {
	type step struct {
		after       time.Duration // since the step before
		days        int
		left, times int // left afterwards, or when it is refused
		refused     bool
	}
	tests := map[string][]step{
		"fourteen days at once":      {{days: 14, left: 0, times: 2}, {after: 14 * day, days: 1, left: 0, times: 2, refused: true}},
		"fifteen days":               {{days: 15, left: 14, times: 3, refused: true}, {days: 14, left: 0, times: 2}},
		"three times":                {{0, 1, 13, 2, false}, {day, 1, 12, 1, false}, {day, 1, 11, 0, false}, {day, 1, 11, 0, true}},
		"what overlaps counts once":  {{0, 5, 9, 2, false}, {2 * day, 5, 7, 1, false}, {0, 10, 2, 0, false}},
		"a shorter one frees no day": {{0, 10, 4, 2, false}, {0, 2, 4, 1, false}, {2 * day, 12, 0, 0, false}},
		"a refusal spends nothing":   {{0, 10, 4, 2, false}, {10 * day, 5, 4, 2, true}, {0, 4, 0, 1, false}},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for name, steps := range tests {
			b.write(t, func(ctx context.Context, tx *store.Tx) error { return contact.Erase(ctx, tx, seller) })
			for i, s := range steps {
				now := b.clock.Advance(s.after)
				d, err := b.deferUntil(t, phone, now.Add(time.Duration(s.days)*day), "busy")
				if s.refused {
					wantFault(t, err, "deferral-budget", "until")
					extra := fault.From(err).Extra
					d.DaysLeft, d.TimesLeft = extra["days_left"].(int), extra["times_left"].(int)
				} else if err != nil {
					t.Fatalf("%s, step %d: %v", name, i, err)
				}
				if d.DaysLeft != s.left || d.TimesLeft != s.times {
					t.Errorf("%s, step %d: %d days and %d times left", name, i, d.DaysLeft, d.TimesLeft)
				}
			}
		}
		if d, err := b.deferUntil(t, email, b.clock.Now().Add(day), "busy"); err != nil || d.DaysLeft != 13 || d.TimesLeft != 2 {
			t.Errorf("another slot: %+v, %v", d, err)
		}
	})
}

// A form that is sent twice, and two tabs, defer once.
func TestDeferringAgainUntilTheSameTimeSpendsNothing(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		until := start.Add(5 * day)
		first, err := b.deferUntil(t, phone, until, "busy")
		if err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(time.Minute)
		if again, err := b.deferUntil(t, phone, until, "in another tab"); err != nil || again != first {
			t.Errorf("got %+v, %v, want %+v", again, err, first)
		}
		b.wantNews(t, "contact.deferred")
		longer, err := b.deferUntil(t, phone, until.Add(day), "busy")
		if err != nil || longer.TimesLeft != 1 || longer.DaysLeft != 8 || longer.ID == first.ID {
			t.Errorf("a longer one: %+v, %v", longer, err)
		}
		shorter, err := b.deferUntil(t, phone, until, "busy") // no longer the one in force
		if err != nil || shorter.TimesLeft != 0 || shorter.ID == first.ID {
			t.Errorf("a shorter one: %+v, %v", shorter, err)
		}
		if again, err := b.deferUntil(t, phone, until.Add(day), "busy"); err != nil || again.ID != longer.ID || again.TimesLeft != 0 {
			t.Errorf("with the budget used up: %+v, %v", again, err)
		}
		b.clock.Set(until.Add(day))
		_, err = b.deferUntil(t, phone, until.Add(day), "busy")
		wantFault(t, err, "deferral-until-past", "until")
	})
}

func TestOfManyDeferralsAtOnceOneCounts(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		until := start.Add(5 * day)
		made := make(chan contact.Deferral, 16)
		atOnce(16, func() {
			d, err := b.deferUntil(t, phone, until, "busy")
			if err != nil {
				t.Error(err)
			}
			made <- d
		})
		first := <-made
		for range 15 {
			if d := <-made; d != first {
				t.Errorf("got %+v and %+v", first, d)
			}
		}
		if first.TimesLeft != 2 || b.count(t, "SELECT COUNT(*) FROM deferral") != 1 ||
			b.count(t, "SELECT COUNT(*) FROM event WHERE type = 'contact.deferred'") != 1 {
			t.Errorf("counted more than once: %+v", first)
		}
	})
}

func TestAVerificationRenewsTheBudget(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		left := func(want int) {
			t.Helper()
			b.clock.Advance(time.Second)
			d, err := b.deferUntil(t, email, b.clock.Now().Add(day), "busy")
			if err != nil || d.TimesLeft != want {
				t.Errorf("%+v, %v, want %d times left", d, err, want)
			}
		}
		b.set(t, email, "ann@example.com")
		left(2)
		left(1)
		b.set(t, email, "bea@example.com") // a new value alone renews nothing
		left(0)
		b.delete(t, email)
		b.set(t, email, "ann@example.com")
		if _, err := b.deferUntil(t, email, b.clock.Now().Add(2*day), "busy"); !fault.Is(err, "deferral-budget") {
			t.Errorf("after the removal: %v", err)
		}
		b.clock.Advance(time.Second)
		b.verify(t, email)
		b.clock.Advance(time.Second)
		b.downgrade(t, email, contact.Bounced)
		left(2)
		b.set(t, email, "bea@example.com") // what was spent before the verification stays forgotten
		left(1)
	})
}

func TestDeferRefuses(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "ann@example.com")
		b.verify(t, email)
		b.news(t, seller)
		tomorrow := start.Add(day)
		for _, test := range []struct {
			account   string
			slot      contact.Slot
			until     time.Time
			reason    string
			id, field string
		}{
			{"nobody", phone, tomorrow, "busy", "unknown-account", ""},
			{seller, email, tomorrow, "busy", "nothing-to-defer", ""},
			{seller, phone, start, "busy", "deferral-until-past", "until"},
			{seller, phone, start.Add(-day), "busy", "deferral-until-past", "until"},
			{seller, phone, tomorrow, " ", "deferral-reason-missing", "reason"},
			{seller, phone, tomorrow, "two\nlines", "deferral-reason-characters", "reason"},
			{seller, phone, tomorrow, "\xff", "deferral-reason-characters", "reason"},
			{seller, phone, tomorrow, strings.Repeat("忙", 501), "deferral-reason-too-long", "reason"},
		} {
			err := b.try(t, func(ctx context.Context, tx *store.Tx) error {
				_, err := b.Defer(ctx, tx, test.account, test.slot, test.until, test.reason, actor)
				return err
			})
			wantFault(t, err, test.id, test.field)
		}
		if _, err := b.deferUntil(t, phone, tomorrow, strings.Repeat("忙", 500)); err != nil {
			t.Error(err)
		}
		b.wantNews(t, "contact.deferred")
	})
}
