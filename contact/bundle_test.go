package contact_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

const (
	actor  = "key:test"
	seller = "seller-1"
	day    = 24 * time.Hour
)

var (
	start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

	email  = slot("email")
	email2 = slot("email-2")
	phone  = slot("phone")
)

func slot(s string) contact.Slot {
	parsed, err := contact.ParseSlot(s)
	if err != nil {
		panic(err)
	}
	return parsed
}

// bundle is one database with the account seller-1, of Britain, on a test clock.
type bundle struct {
	*contact.Contacts
	accounts *account.Accounts
	keys     *seal.Keyring
	db       *store.DB
	clock    *apptest.Clock
	seen     map[string]bool
}

func engines(t *testing.T, body func(t *testing.T, b *bundle)) {
	t.Helper()
	enginesWith(t, contact.Options{}, body)
}

func enginesWith(t *testing.T, o contact.Options, body func(t *testing.T, b *bundle)) {
	t.Helper()
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		accounts := account.New(account.Options{Keys: keys, Erase: []func(context.Context, *store.Tx, string) error{contact.Erase}})
		o := o
		o.Keys, o.Accounts = keys, accounts
		b := &bundle{contact.New(o), accounts, keys, db, clock, map[string]bool{}}
		b.account(t, seller)
		body(t, b)
	})
}

func (b *bundle) try(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) error {
	t.Helper()
	return b.db.Write(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) })
}

func (b *bundle) write(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := b.try(t, fn); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) read(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := b.db.Read(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// account creates an account with a mailbox and forgets its events.
func (b *bundle) account(t *testing.T, id string) {
	t.Helper()
	mailbox := "mailbox@example.com"
	b.write(t, func(ctx context.Context, tx *store.Tx) error {
		_, _, err := b.accounts.Put(ctx, tx, account.Input{ID: id, Country: "GB", Mailbox: &mailbox}, actor)
		return err
	})
	b.news(t, id)
}

func (b *bundle) set(t *testing.T, s contact.Slot, value string) (k contact.Contact) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) (err error) {
		k, _, err = b.Set(ctx, tx, seller, s, value, "", actor)
		return err
	})
	return k
}

func (b *bundle) delete(t *testing.T, s contact.Slot) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) error { return b.Delete(ctx, tx, seller, s, actor) })
}

func (b *bundle) downgrade(t *testing.T, s contact.Slot, reason contact.Reason) (ok bool) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) (err error) {
		ok, err = b.Downgrade(ctx, tx, seller, s, reason, event.System)
		return err
	})
	return ok
}

// verify proves what the slot's target is.
func (b *bundle) verify(t *testing.T, s contact.Slot) {
	t.Helper()
	if !b.prove(t, s, b.target(t, s).Version) {
		t.Fatalf("%s was not verified", s)
	}
}

func (b *bundle) prove(t *testing.T, s contact.Slot, version int64) (ok bool) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) (err error) {
		ok, err = b.MarkVerified(ctx, tx, seller, s, version, actor)
		return err
	})
	return ok
}

func (b *bundle) target(t *testing.T, s contact.Slot) (target contact.Target) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) (err error) {
		target, err = b.Target(ctx, tx, seller, s)
		return err
	})
	return target
}

func (b *bundle) windows(t *testing.T) (open []contact.Window) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) (err error) {
		open, err = b.Windows(ctx, tx, seller)
		return err
	})
	return open
}

func (b *bundle) count(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&n) })
	return n
}

// news returns the account's events since the last call, by type.
func (b *bundle) news(t *testing.T, id string) map[string]event.Event {
	t.Helper()
	found := map[string]event.Event{}
	b.read(t, func(ctx context.Context, tx *store.Tx) error {
		all, err := event.OfAccount(ctx, tx, id, "", 1000)
		for _, e := range all {
			if !b.seen[e.ID] {
				b.seen[e.ID] = true
				found[e.Type] = e
			}
		}
		return err
	})
	return found
}

// wantNews holds the seller's events since the last call to these types.
func (b *bundle) wantNews(t *testing.T, want ...string) map[string]event.Event {
	t.Helper()
	found := b.news(t, seller)
	var got []string
	for name := range found {
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	return found
}

// atOnce runs fn n times, all released by one gate.
func atOnce(n int, fn func()) {
	gate := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			<-gate
			fn()
		})
	}
	close(gate)
	all.Wait()
}

// wantFault holds an error to an id and a field.
func wantFault(t *testing.T, err error, id, field string) {
	t.Helper()
	if f := fault.From(err); f == nil || f.ID != id || f.Field != field {
		t.Errorf("error %v, want %s at %q", err, id, field)
	}
}
