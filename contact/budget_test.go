package contact_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func (b *bundle) waits(t *testing.T) (waits map[contact.Slot]contact.Wait) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) (err error) {
		waits, err = b.Waits(ctx, tx, seller)
		return err
	})
	return waits
}

func (b *bundle) budget(t *testing.T, s contact.Slot) (w contact.Wait) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) (err error) {
		w, err = b.Budget(ctx, tx, seller, s)
		return err
	})
	return w
}

func TestWaits(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		full := contact.Wait{DaysLeft: 14, TimesLeft: 3}
		if waits := b.waits(t); len(waits) != 0 || b.FullBudget() != full || b.budget(t, phone) != full {
			t.Errorf("before any deferral: %v, %v", waits, b.FullBudget())
		}
		for _, d := range []struct {
			slot contact.Slot
			days int
		}{{phone, 5}, {phone, 2}, {email, 1}} { // the shorter one ends nothing
			if _, err := b.deferUntil(t, d.slot, start.Add(time.Duration(d.days)*day), "busy"); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Second)
		}
		want := map[contact.Slot]contact.Wait{
			phone: {Until: start.Add(5 * day), DaysLeft: 9, TimesLeft: 1},
			email: {Until: start.Add(day), DaysLeft: 13, TimesLeft: 2},
		}
		if got := b.waits(t); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := b.budget(t, phone); got != want[phone] {
			t.Errorf("the phone alone: %v", got)
		}
		b.clock.Set(start.Add(2 * day))
		if got := b.waits(t)[email]; !got.Until.IsZero() || got.DaysLeft != 13 || got.TimesLeft != 2 {
			t.Errorf("when it is over: %v", got)
		}
	})
}

func TestAVerificationEndsTheWait(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "ann@example.com")
		for _, s := range []contact.Slot{email, phone} {
			if _, err := b.deferUntil(t, s, start.Add(3*day), "busy"); err != nil {
				t.Fatal(err)
			}
		}
		b.clock.Advance(time.Minute)
		b.verify(t, email)
		if waits := b.waits(t); len(waits) != 1 || waits[phone].TimesLeft != 2 || b.budget(t, email) != b.FullBudget() {
			t.Errorf("got %v", waits)
		}
	})
}

func TestWaitsIsOneStatement(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for _, s := range []contact.Slot{email, email2, phone} {
			if _, err := b.deferUntil(t, s, start.Add(day), "busy"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, count := store.WithCount(t.Context())
		err := b.db.Read(ctx, func(tx *store.Tx) error {
			waits, err := b.Waits(ctx, tx, seller)
			if len(waits) != 3 {
				t.Errorf("got %v", waits)
			}
			return err
		})
		if n := count.Statements.Load(); err != nil || n != 1 {
			t.Errorf("%d statements, %v", n, err)
		}
	})
}
