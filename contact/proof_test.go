package contact_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func TestTarget(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		k := b.set(t, email, "Ann@example.com")
		ctx, count := store.WithCount(t.Context())
		var target contact.Target
		err := b.db.Read(ctx, func(tx *store.Tx) (err error) {
			target, err = b.Target(ctx, tx, seller, email)
			return err
		})
		if err != nil || count.Statements.Load() != 1 {
			t.Fatalf("%d statements, %v", count.Statements.Load(), err)
		}
		if target.Account.ID != seller || target.Account.Country != "GB" || target.Version != k.Version ||
			target.Email.String() != "Ann@example.com" || !bytes.Equal(target.Index, b.keys.Index("email", k.Email.Key())) {
			t.Errorf("got %+v", target)
		}
		b.read(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := b.Target(ctx, tx, "nobody", email)
			wantFault(t, err, "unknown-account", "")
			_, err = b.Target(ctx, tx, seller, phone)
			wantFault(t, err, "unknown-contact", "")
			return nil
		})
	})
}

func TestMarkVerified(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		k := b.set(t, email, "ann@example.com")
		b.news(t, seller)
		b.clock.Advance(time.Hour)
		if b.prove(t, email, k.Version-1) || b.prove(t, email2, k.Version) {
			t.Error("another version or slot was proved")
		}
		b.wantNews(t)
		ctx, count := store.WithCount(t.Context())
		err := b.db.Write(ctx, func(tx *store.Tx) error {
			ok, err := b.MarkVerified(ctx, tx, seller, email, k.Version, "account:seller-1")
			if !ok {
				t.Error("not verified")
			}
			return err
		})
		if n := count.Statements.Load(); err != nil || n != 3 { // two and the events
			t.Errorf("%d statements, %v", n, err)
		}
		got := b.target(t, email).Contact
		now := start.Add(time.Hour)
		if got.State != contact.Verified || got.VerifiedAt != now || got.DueAt != now.Add(365*day) || got.Version != k.Version {
			t.Errorf("got %+v", got)
		}
		e := b.wantNews(t, "contact.verified")["contact.verified"]
		if e.Subject != "email" || e.Actor != "account:seller-1" || e.Body["version"] != float64(k.Version) {
			t.Errorf("event %+v", e)
		}
	})
}

func TestMarkVerifiedEndsEachReason(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for _, reason := range []contact.Reason{contact.Bounced, contact.Expired, contact.Landline, contact.Disputed} {
			b.set(t, phone, "+44 20 7946 0000")
			b.verify(t, phone)
			if !b.downgrade(t, phone, reason) {
				t.Errorf("%s: no downgrade", reason)
			}
			b.clock.Advance(time.Hour)
			b.verify(t, phone)
			if k := b.target(t, phone).Contact; k.State != contact.Verified || k.Reason != "" || k.VerifiedAt != b.clock.Now() {
				t.Errorf("%s: %+v", reason, k)
			}
		}
	})
}

func TestAPendingChangeTakesEffect(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, phone, "+44 20 7946 0000")
		b.verify(t, phone)
		pending := b.set(t, phone, "+44 7400 123456")
		b.news(t, seller)
		b.clock.Advance(time.Hour)
		if len(b.windows(t)) != 0 {
			t.Error("a window is open before the change took effect")
		}
		ctx, count := store.WithCount(t.Context())
		err := b.db.Write(ctx, func(tx *store.Tx) error {
			_, err := b.MarkVerified(ctx, tx, seller, phone, pending.Version, actor)
			return err
		})
		if n := count.Statements.Load(); err != nil || n != 4 { // three and the events
			t.Errorf("%d statements, %v", n, err)
		}
		k := b.target(t, phone).Contact
		if k.State != contact.Verified || k.Phone.E164 != "+447400123456" || k.Line != "mobile" || k.Pending != nil ||
			k.VerifiedAt != b.clock.Now() || k.SetAt != start {
			t.Errorf("got %+v", k)
		}
		e := b.wantNews(t, "contact.verified", "contact.changed")["contact.changed"]
		if e.Body["window_until"] != "2026-03-04T10:00:00Z" || e.Body["line_type"] != "mobile" {
			t.Errorf("body %v", e.Body)
		}
		open := b.windows(t)
		if len(open) != 1 || open[0].Old.Phone.E164 != "+442079460000" || open[0].Old.Phone.Line != "fixed_line" ||
			open[0].RequestedAt != start || open[0].EffectiveAt != b.clock.Now() || open[0].Version != pending.Version {
			t.Errorf("windows %+v", open)
		}
		b.clock.Advance(time.Hour)
		b.verify(t, phone) // again: no change this time
		b.wantNews(t, "contact.verified")
	})
}

// Whoever wins, the contact is verified only for a value whose version was proved, and versions never repeat.
func TestSetsAndProofsAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		first := b.set(t, email, "first@example.com")
		var wg sync.WaitGroup
		versions := make(chan int64, 64)
		for i := range 8 {
			wg.Go(func() {
				var k contact.Contact
				err := b.db.Write(t.Context(), func(tx *store.Tx) (err error) {
					k, _, err = b.Set(t.Context(), tx, seller, email, string(rune('a'+i))+"@example.com", "", actor)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				versions <- k.Version
			})
			wg.Go(func() {
				err := b.db.Write(t.Context(), func(tx *store.Tx) error {
					_, err := b.MarkVerified(t.Context(), tx, seller, email, first.Version, actor)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		close(versions)
		seen := map[int64]bool{first.Version: true}
		for v := range versions {
			if seen[v] {
				t.Errorf("version %d was given twice", v)
			}
			seen[v] = true
		}
		k := b.target(t, email).Contact
		if k.State == contact.Verified && k.Email.String() != "first@example.com" {
			t.Errorf("a value that nobody proved is verified: %+v", k)
		}
		if k.State == contact.Verified && (k.Pending == nil || b.count(t, "SELECT COUNT(*) FROM contact_change WHERE effective_at IS NULL") != 1) {
			t.Error("the pending change does not wait once")
		}
		if !seen[k.Version] {
			t.Errorf("version %d was given to nobody", k.Version)
		}
	})
}

// A contact that is set while its account is erased is refused or erased, never left behind.
func TestSetDuringErasure(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for range 10 {
			b.account(t, "brief")
			var wg sync.WaitGroup
			wg.Go(func() {
				err := b.db.Write(t.Context(), func(tx *store.Tx) error {
					_, _, err := b.Set(t.Context(), tx, "brief", email, "ann@example.com", "", actor)
					return err
				})
				if err != nil {
					wantFault(t, err, "unknown-account", "")
				}
			})
			wg.Go(func() {
				err := b.db.Write(t.Context(), func(tx *store.Tx) error { return b.accounts.Erase(t.Context(), tx, "brief", actor) })
				if err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			if n := b.count(t, "SELECT COUNT(*) FROM contact WHERE account_id = 'brief'"); n != 0 {
				t.Fatal("a contact without an account")
			}
		}
	})
}
