package notice_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

const (
	holder  = "account:seller/anna"
	mailbox = "mailbox@example.com"
)

var (
	start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

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

// bench is the path from an event to the messages about it, over one database with an account on a test clock. It is
// the sender of its channels: messages are kept as they would leave.
type bench struct {
	*testing.T
	db       *store.DB
	clock    *apptest.Clock
	keys     *seal.Keyring
	accounts *account.Accounts
	contacts *contact.Contacts
	queue    *deliver.Queue
	notices  *notice.Registry
	options  notice.Options
	seller   string // the account
	log      *logged

	mu   sync.Mutex
	sent map[string][]deliver.Message // by recipient
	refs map[string]bool              // of all that was ever sent
	more chan struct{}
	seen int // messages that news has waited for
}

// logged is what was written to the log.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

// Send keeps a message, once: one whose lease the test clock ended comes again.
func (b *bench) Send(_ context.Context, m deliver.Message) deliver.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.refs[m.Reference] {
		b.refs[m.Reference] = true
		b.sent[m.To] = append(b.sent[m.To], m)
		b.more <- struct{}{}
	}
	return deliver.Result{Outcome: deliver.Accepted, Code: 250}
}

// engines runs a test on both engines, with senders for the channels.
func engines(t *testing.T, body func(b *bench), channels ...string) {
	t.Helper()
	if channels == nil {
		channels = []string{deliver.Email, deliver.SMS}
	}
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		clock.Set(start)
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{
			T: t, db: db, clock: clock, keys: keys, log: &logged{},
			sent: map[string][]deliver.Message{}, refs: map[string]bool{}, more: make(chan struct{}, 1000),
		}
		b.accounts = account.New(account.Options{Keys: keys, Erase: []func(context.Context, *store.Tx, string) error{contact.Erase, eraseMessages}})
		b.contacts = contact.New(contact.Options{Keys: keys, Accounts: b.accounts})
		senders := map[string]deliver.Sender{}
		for _, c := range channels {
			senders[c] = b
		}
		b.queue = deliver.New(deliver.Options{DB: db, Senders: senders, Log: slog.New(slog.NewTextHandler(b.log, nil))})
		b.options = notice.Options{
			Keys: keys, Queue: b.queue, Accounts: b.accounts, Contacts: b.contacts,
			Platform: "Harbourline", Host: "portal.example.com", Origin: "https://portal.example.com", Accent: "#0b7a75",
		}
		b.install(b.options)
		b.account("en")
		body(b)
	})
}

func eraseMessages(ctx context.Context, tx *store.Tx, id string) error {
	after := start.AddDate(1, 0, 0)
	return errors.Join(notice.Erase(ctx, tx, id, after), deliver.Erase(ctx, tx, id, after))
}

// install starts the program anew, with other settings.
func (b *bench) install(o notice.Options) {
	b.Helper()
	b.notices = notice.New(o)
	b.queue.Composes(b.notices.Compose)
	if err := b.notices.Install(b.Context(), b.db); err != nil {
		b.Fatal(err)
	}
}

// run sends what is queued until the test ends.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	go b.queue.Run(ctx)
	b.Cleanup(func() { cancel(); <-b.queue.Ended() })
}

func (b *bench) write(fn func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	if err := b.db.Write(b.Context(), func(tx *store.Tx) error { return fn(b.Context(), tx) }); err != nil {
		b.Fatal(err)
	}
	b.clock.Advance(time.Minute)
}

// account makes a new account, which is the one from now on.
func (b *bench) account(locale string) {
	b.Helper()
	b.seller = "seller-" + store.NewID(b.db.Now())
	to := mailbox
	b.write(func(ctx context.Context, tx *store.Tx) error {
		_, _, err := b.accounts.Put(ctx, tx, account.Input{
			ID: b.seller, Name: "Lotus Trading", Locale: locale, TimeZone: "Asia/Shanghai", Country: "GB", Mailbox: &to,
		}, "key:test")
		return err
	})
}

// mailbox makes the account's mailbox another one, or none.
func (b *bench) mailbox(to *string) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error {
		_, _, err := b.accounts.Put(ctx, tx, account.Input{
			ID: b.seller, Name: "Lotus Trading", Locale: "en", TimeZone: "Asia/Shanghai", Country: "GB", Mailbox: to,
		}, "key:test")
		return err
	})
}

func (b *bench) set(s contact.Slot, value string) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error {
		_, _, err := b.contacts.Set(ctx, tx, b.seller, s, value, "", holder)
		return err
	})
}

// verified puts a value into a slot and proves it.
func (b *bench) verified(s contact.Slot, value string) {
	b.Helper()
	b.set(s, value)
	b.prove(s)
}

func (b *bench) prove(s contact.Slot) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error {
		target, err := b.contacts.Target(ctx, tx, b.seller, s)
		if err != nil {
			return err
		}
		_, err = b.contacts.MarkVerified(ctx, tx, b.seller, s, target.Version, holder)
		return err
	})
}

func (b *bench) remove(s contact.Slot) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error { return b.contacts.Delete(ctx, tx, b.seller, s, holder) })
}

func (b *bench) downgrade(s contact.Slot, reason contact.Reason) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := b.contacts.Downgrade(ctx, tx, b.seller, s, reason, event.System)
		return err
	})
}

// expire lets the proofs grow old.
func (b *bench) expire() {
	b.Helper()
	b.clock.Advance(366 * 24 * time.Hour)
	if _, err := b.contacts.SweepExpired(b.Context(), b.db, 100); err != nil {
		b.Fatal(err)
	}
	b.clock.Advance(time.Minute)
}

func (b *bench) dispute(s contact.Slot) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := b.contacts.Dispute(ctx, tx, b.seller, s, "key:test")
		return err
	})
}

// dispatch hands out all events that nobody has handled.
func (b *bench) dispatch() {
	b.Helper()
	d := event.NewDispatcher(event.Options{
		DB: b.db, Holder: store.NewID(b.db.Now()), Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Listeners: []event.Listener{{Name: "notice", Types: notice.ChangeEvents, Handle: b.notices.OnChange}},
	})
	ctx, cancel := context.WithCancel(b.Context())
	if err := d.Drain(ctx); err != nil {
		b.Fatal(err)
	}
	cancel()
	d.Run(ctx) // lets go of the lease
}

// news dispatches, waits until all that was stored is sent, and returns it by recipient.
func (b *bench) news() map[string][]deliver.Message {
	b.Helper()
	b.dispatch()
	for stored := b.count("SELECT COUNT(*) FROM delivery"); b.seen < stored; {
		select {
		case <-b.more:
			b.seen++
		case <-time.After(20 * time.Second):
			b.Fatalf("messages wait; the log says:\n%s", b.log)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := b.sent
	b.sent = map[string][]deliver.Message{}
	return sent
}

func (b *bench) count(query string) (n int) {
	b.Helper()
	err := b.db.Read(b.Context(), func(tx *store.Tx) error { return tx.QueryRow(b.Context(), query).Scan(&n) })
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// shown are the account's notices as the message centre has them.
func (b *bench) shown() (all []notice.Shown) {
	b.Helper()
	err := b.db.Read(b.Context(), func(tx *store.Tx) (err error) {
		all, err = b.notices.OfAccount(b.Context(), tx, b.seller, "", 100)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

// recipients are those of messages, sorted, one entry a message.
func recipients(sent map[string][]deliver.Message) (to []string) {
	for address, all := range sent {
		for range all {
			to = append(to, address)
		}
	}
	slices.Sort(to)
	return to
}
