package account_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/address"
	"countersign.dev/base/store"
)

func (b *bundle) takeFormer(t *testing.T, id, eventID string) (former address.Email, err error) {
	t.Helper()
	acc, err := b.get(t, id)
	if err != nil {
		t.Fatal(err)
	}
	err = b.db.Write(t.Context(), func(tx *store.Tx) (err error) {
		former, err = b.TakeFormerMailbox(t.Context(), tx, acc, eventID)
		return err
	})
	return former, err
}

// sealedMailboxes are the former mailboxes that are kept, as they are kept.
func (b *bundle) sealedMailboxes(t *testing.T) (all [][]byte) {
	t.Helper()
	err := b.db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT old_value FROM mailbox_change")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var value []byte
			if err := rows.Scan(&value); err != nil {
				return err
			}
			all = append(all, value)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheFormerMailboxIsKeptUntilItIsTaken(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		b.put(t, account.Input{ID: "seller-1"})
		b.news(t, "seller-1")
		events := map[string]string{} // id by the mailbox that went
		for _, step := range []struct{ before, after, becomes string }{
			{"", "one@example.com", "set"},
			{"one@example.com", "two@example.com", "changed"},
			{"two@example.com", "", "removed"},
			{"", "three@example.com", "set"},
		} {
			b.clock.Advance(time.Minute)
			in := account.Input{ID: "seller-1"}
			if step.after != "" {
				in.Mailbox = &step.after
			}
			b.put(t, in)
			e := b.wantNews(t, "seller-1", "account.mailbox_changed")["account.mailbox_changed"]
			if e.Body["mailbox"] != step.becomes {
				t.Errorf("%q to %q is told as %v", step.before, step.after, e.Body)
			}
			if step.before != "" {
				events[step.before] = e.ID
			} else if _, err := b.takeFormer(t, "seller-1", e.ID); !errors.Is(err, store.ErrNoRows) {
				t.Errorf("there was no mailbox before %q: %v", step.after, err)
			}
		}
		b.put(t, account.Input{ID: "other"})
		if _, err := b.takeFormer(t, "other", events["one@example.com"]); !errors.Is(err, store.ErrNoRows) {
			t.Errorf("another account took it: %v", err)
		}
		for want, event := range events {
			if got, err := b.takeFormer(t, "seller-1", event); err != nil || got.String() != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			if got, err := b.takeFormer(t, "seller-1", event); !errors.Is(err, store.ErrNoRows) {
				t.Errorf("taken again: %q, %v", got, err)
			}
		}
		if n := len(b.sealedMailboxes(t)); n != 0 {
			t.Errorf("%d former mailboxes are left, though all were taken", n)
		}
	})
}

func TestAFormerMailboxIsSealedAndErasedWithItsAccount(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		for _, id := range []string{"leaver", "stayer"} {
			b.put(t, account.Input{ID: id, Mailbox: ptr("old@example.com")})
			b.put(t, account.Input{ID: id})
		}
		rows := b.sealedMailboxes(t)
		if len(rows) != 2 || bytes.Contains(rows[0], []byte("example")) || bytes.Equal(rows[0], rows[1]) {
			t.Errorf("stored as %q", rows)
		}
		b.write(t, func(ctx context.Context, tx *store.Tx) error { return b.Erase(ctx, tx, "leaver", actor) })
		if n := len(b.sealedMailboxes(t)); n != 1 {
			t.Errorf("%d former mailboxes are left, want that of the other account", n)
		}
	})
}

func TestAFormerMailboxIsFoundByItsKey(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		plan, err := b.db.Explain(t.Context(), account.TakeFormerMailbox, "seller-1", "event")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "mailbox_change_pkey") && !strings.Contains(plan, "mailbox_change_1") {
			t.Errorf("plan:\n%s", plan)
		}
	})
}
