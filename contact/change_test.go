package contact_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// change returns what an event tells of.
func (b *bundle) change(t *testing.T, e event.Event) (acc account.Account, w contact.Window, err error) {
	t.Helper()
	s, err := contact.ParseSlot(e.Body["slot"].(string))
	if err != nil {
		t.Fatal(err)
	}
	err = b.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		acc, w, err = b.Change(t.Context(), tx, e.Account, s, int64(e.Body["version"].(float64)))
		return err
	})
	return acc, w, err
}

// Whoever hears of a change finds it by the event, whichever way it took effect.
func TestAnEventLeadsToItsChange(t *testing.T) {
	const old, other = "old@example.com", "other@example.com"
	ways := map[string]struct {
		slot  contact.Slot
		event string
		kind  contact.ChangeKind
		do    func(t *testing.T, b *bundle, s contact.Slot)
	}{
		"a waiting value was proved": {slot("email"), "contact.changed", contact.Changed, func(t *testing.T, b *bundle, s contact.Slot) {
			b.set(t, s, other)
			b.verify(t, s)
		}},
		"the last of several waiting values was proved": {
			slot("email-2"), "contact.changed", contact.Changed,
			func(t *testing.T, b *bundle, s contact.Slot) {
				b.set(t, s, "another@example.com")
				b.clock.Advance(time.Minute)
				b.set(t, s, other)
				b.verify(t, s)
			},
		},
		"one that bounces was replaced": {slot("email-3"), "contact.changed", contact.Changed, func(t *testing.T, b *bundle, s contact.Slot) {
			b.downgrade(t, s, contact.Bounced)
			b.set(t, s, other)
		}},
		"one that bounces was replaced over a waiting value": {
			slot("email-4"), "contact.changed", contact.Changed,
			func(t *testing.T, b *bundle, s contact.Slot) {
				b.set(t, s, "another@example.com")
				b.downgrade(t, s, contact.Bounced)
				b.set(t, s, other)
			},
		},
		"one was removed": {slot("email-5"), "contact.removed", contact.Removed, func(t *testing.T, b *bundle, s contact.Slot) {
			b.delete(t, s)
		}},
		"one was removed with a waiting value": {
			slot("email"), "contact.removed", contact.Removed,
			func(t *testing.T, b *bundle, s contact.Slot) {
				b.set(t, s, other)
				b.delete(t, s)
			},
		},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for name, way := range ways {
			b.set(t, way.slot, old)
			b.verify(t, way.slot)
			b.clock.Advance(time.Minute)
			b.news(t, seller)
			way.do(t, b, way.slot)
			e := b.news(t, seller)[way.event]
			acc, w, err := b.change(t, e)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if acc.ID != seller || acc.Mailbox.String() != "mailbox@example.com" || w.ID == "" || w.Slot != way.slot || w.Kind != way.kind ||
				w.Old.String() != old || w.EffectiveAt != b.clock.Now() || w.Until != b.clock.Now().Add(3*day) {
				t.Errorf("%s: %+v", name, w)
			}
			if way.kind == contact.Changed {
				b.delete(t, way.slot)
			}
			b.clock.Advance(time.Minute)
		}
	})
}

func TestNoChangeToTellOf(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		none := func(what string, e event.Event) {
			t.Helper()
			if _, _, err := b.change(t, e); !errors.Is(err, store.ErrNoRows) {
				t.Errorf("%s: %v", what, err)
			}
		}
		b.set(t, email, "ann@example.com")
		none("a first value", b.news(t, seller)["contact.set"])
		b.delete(t, email)
		none("the removal of one that nobody had verified", b.news(t, seller)["contact.removed"])
		b.set(t, email, "ann@example.com")
		b.verify(t, email)
		none("a first proof", b.news(t, seller)["contact.verified"])
		b.set(t, email, "bea@example.com")
		none("a value that waits", b.news(t, seller)["contact.change_requested"])
	})
}

func TestAChangeIsOneStatement(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "ann@example.com")
		b.verify(t, email)
		b.delete(t, email)
		version := b.windows(t)[0].Version
		ctx, count := store.WithCount(t.Context())
		err := b.db.Read(ctx, func(tx *store.Tx) error {
			_, _, err := b.Change(ctx, tx, seller, email, version)
			return err
		})
		if n := count.Statements.Load(); err != nil || n != 1 {
			t.Errorf("%d statements, %v", n, err)
		}
		b.read(t, func(ctx context.Context, tx *store.Tx) error {
			if _, _, err := b.Change(ctx, tx, "nobody", email, version); !errors.Is(err, store.ErrNoRows) {
				t.Errorf("another account: %v", err)
			}
			return nil
		})
	})
}
