package contact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func TestViewIsMasked(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "mailbox@EXAMPLE.com")
		b.set(t, phone, "+86 138 0013 8000")
		b.verify(t, phone)
		b.clock.Advance(time.Hour)
		b.set(t, phone, "020 7946 0000")
		b.set(t, email2, "bounced@example.com")
		b.downgrade(t, email2, contact.Bounced)

		var views []contact.View
		ctx, count := store.WithCount(t.Context())
		err := b.db.Read(ctx, func(tx *store.Tx) (err error) {
			views, err = b.View(ctx, tx, seller)
			return err
		})
		if err != nil || count.Statements.Load() != 1 {
			t.Fatalf("%d statements, %v", count.Statements.Load(), err)
		}
		got, err := json.MarshalIndent(views, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		want := `[
 {
  "slot": "email",
  "kind": "email",
  "state": "unverified",
  "masked": "m•••@example.com",
  "hints": [
   "same-as-mailbox"
  ]
 },
 {
  "slot": "email-2",
  "kind": "email",
  "state": "needs_update",
  "reason": "bounced",
  "masked": "b•••@example.com"
 },
 {
  "slot": "phone",
  "kind": "phone",
  "state": "verified",
  "masked": "+86 138 •••• 8000",
  "line_type": "mobile",
  "verified_at": "2026-03-01T09:00:00Z",
  "due_at": "2027-03-01T09:00:00Z",
  "pending_change": {
   "masked": "+44 207 •••• 000",
   "requested_at": "2026-03-01T10:00:00Z"
  },
  "hints": [
   "no-sms"
  ]
 }
]`
		want = strings.Replace(want, "+44 207 •••• 000", b.target(t, phone).Phone.Masked(), 1)
		if string(got) != want {
			t.Errorf("got %s", got)
		}
		b.read(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := b.View(ctx, tx, "nobody")
			wantFault(t, err, "unknown-account", "")
			return nil
		})
	})
}

func TestHintsHaveTexts(t *testing.T) {
	for _, id := range []string{contact.HintNoSMS, contact.HintSameAsMailbox} {
		if !i18n.Has(i18n.En, "contact.hint."+id) || contact.HintText(i18n.Zh, id) == contact.HintText(i18n.En, id) {
			t.Errorf("%s has no text of its own in each language", id)
		}
	}
}

func TestReveal(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		reveal := func(s contact.Slot, reason string) (k contact.Contact, err error) {
			err = b.try(t, func(ctx context.Context, tx *store.Tx) (err error) {
				k, err = b.Reveal(ctx, tx, seller, s, "key:reader", reason)
				return err
			})
			return k, err
		}
		b.set(t, email, "ann@example.com")
		b.news(t, seller)
		_, err := reveal(phone, "")
		wantFault(t, err, "unknown-contact", "")
		b.wantNews(t)
		k, err := reveal(email, "Ann called us")
		if err != nil || k.Email.String() != "ann@example.com" {
			t.Errorf("got %+v, %v", k, err)
		}
		e := b.wantNews(t, "contact.revealed")["contact.revealed"]
		if e.Actor != "key:reader" || e.Subject != "email" || len(e.Body) != 2 {
			t.Errorf("event %+v", e)
		}
		reason, err := b.keys.Instance().Open(event.Place(e.ID), e.Sealed)
		if err != nil || string(reason) != "Ann called us" {
			t.Errorf("the reason is %q, %v", reason, err)
		}
	})
}

func TestErase(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "ann@example.com")
		b.verify(t, email)
		b.set(t, email, "bea@example.com")
		if _, err := b.deferUntil(t, phone, start.Add(day), "busy"); err != nil {
			t.Fatal(err)
		}
		b.write(t, func(ctx context.Context, tx *store.Tx) error { return b.accounts.Erase(ctx, tx, seller, actor) })
		for _, table := range []string{"account", "contact", "contact_change", "deferral"} {
			if n := b.count(t, "SELECT COUNT(*) FROM "+table); n != 0 {
				t.Errorf("%d rows left in %s", n, table)
			}
		}
	})
}

func TestListAccounts(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for i := range 5 {
			id := fmt.Sprintf("s%d", 5-i)
			b.account(t, id)
			b.write(t, func(ctx context.Context, tx *store.Tx) error {
				_, _, err := b.Set(ctx, tx, id, phone, "+44 7400 123456", "", actor)
				return err
			})
			b.clock.Advance(time.Minute)
		}
		b.set(t, phone, "+44 7400 123456")
		b.delete(t, phone) // what was removed is in no state
		b.set(t, email, "ann@example.com")

		list := func(f contact.Filter) (ids []string) {
			for {
				var page []account.Account
				b.read(t, func(ctx context.Context, tx *store.Tx) (err error) {
					page, f.After, err = b.ListAccounts(ctx, tx, f)
					return err
				})
				if f.Limit > 0 && len(page) > f.Limit {
					t.Errorf("a page of %d", len(page))
				}
				for _, acc := range page {
					ids = append(ids, acc.ID)
				}
				if f.After == "" {
					return ids
				}
			}
		}
		for _, limit := range []int{0, 1, 2, 5} {
			for _, test := range []struct {
				f    contact.Filter
				want []string
			}{
				{contact.Filter{Slot: phone, State: contact.Unverified}, []string{"s1", "s2", "s3", "s4", "s5"}},
				{contact.Filter{Slot: phone, State: contact.Verified}, nil},
				{contact.Filter{Slot: phone, State: contact.Unverified, ChangedSince: start.Add(2 * time.Minute)}, []string{"s3", "s2", "s1"}},
				{contact.Filter{Slot: email, State: contact.Unverified, ChangedSince: start}, []string{seller}},
			} {
				test.f.Limit = limit
				if got := list(test.f); !slices.Equal(got, test.want) {
					t.Errorf("%s:%s by %d: %v, want %v", test.f.Slot, test.f.State, limit, got, test.want)
				}
			}
		}
		b.read(t, func(ctx context.Context, tx *store.Tx) error {
			_, _, err := b.ListAccounts(ctx, tx, contact.Filter{Slot: phone, State: contact.Verified, ChangedSince: start, After: "x"})
			wantFault(t, err, "page-token", "page_token")
			return nil
		})
	})
}
