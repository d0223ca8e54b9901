package verify_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

var morning = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

const (
	seller = "seller-1"
	key    = "key:test"
)

var (
	email, _ = contact.ParseSlot("email")
	phone, _ = contact.ParseSlot("phone")
)

const (
	refusing = "refusing@example.com"
	delaying = "delaying@example.com"
)

// bench is the product's path from a contact to a sent message over one database, with a sink in place of a
// channel: messages are kept as they would leave.
type bench struct {
	*testing.T
	ctx      context.Context
	db       *store.DB
	clock    *apptest.Clock
	accounts *account.Accounts
	contacts *contact.Contacts
	queue    *deliver.Queue
	notices  *notice.Registry
	verifier *verify.Verifier
	sent     chan deliver.Message
}

// Send keeps a message; it is the sender of every channel here. Some addresses take none, now or ever.
func (b *bench) Send(_ context.Context, m deliver.Message) deliver.Result {
	b.sent <- m
	switch m.To {
	case refusing:
		return deliver.Result{Outcome: deliver.Refused, Code: 550, Enhanced: "5.1.1", Words: "550 no such user " + m.To}
	case delaying:
		return deliver.Result{Outcome: deliver.Retry, Code: 451, Enhanced: "4.7.1", Words: "451 try again later"}
	}
	return deliver.Result{Outcome: deliver.Accepted, Code: 250}
}

// newBench wires a node over db. Two of them over one database are two nodes: they share the keyset.
func newBench(t *testing.T, db *store.DB, clock *apptest.Clock, keyset string) *bench {
	t.Helper()
	keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: keyset})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, ctx: t.Context(), db: db, clock: clock, sent: make(chan deliver.Message, 1024)}
	b.accounts = account.New(account.Options{Keys: keys})
	b.contacts = contact.New(contact.Options{Keys: keys, Accounts: b.accounts})
	b.queue = deliver.New(deliver.Options{DB: db, Senders: map[string]deliver.Sender{deliver.Email: b, deliver.SMS: b}})
	b.notices = notice.New(notice.Options{Keys: keys, Queue: b.queue, Platform: "Harbourline", Host: "portal.example.com", Accent: "#0b7a75"})
	b.queue.Composes(b.notices.Compose)
	if err := b.notices.Install(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	b.verifier = verify.New(verify.Options{
		DB: db, Keys: keys, Contacts: b.contacts, Notices: b.notices,
		HasRoute: b.queue.Has, Limits: verify.Default(),
	})
	return b
}

// run sends what is queued until the test ends.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	go b.queue.Run(ctx)
	b.Cleanup(func() { cancel(); <-b.queue.Ended() })
}

// under returns the same node with its statements counted under ctx.
func (b *bench) under(ctx context.Context) *bench {
	counted := *b
	counted.ctx = ctx
	return &counted
}

func (b *bench) write(fn func(tx *store.Tx) error) {
	b.Helper()
	if err := b.db.Write(b.ctx, fn); err != nil {
		b.Fatal(err)
	}
}

// seller makes an account with an e-mail address and a mobile number.
func (b *bench) seller(id, mail string) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		_, _, err := b.accounts.Put(b.ctx, tx, account.Input{ID: id, Name: "Lotus Trading", Locale: "en", TimeZone: "Asia/Shanghai", Country: "GB"}, key)
		return err
	})
	b.set(id, email, mail)
	b.set(id, phone, "+44 7911 123456")
}

func (b *bench) set(id string, slot contact.Slot, value string) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		_, _, err := b.contacts.Set(b.ctx, tx, id, slot, value, "", key)
		return err
	})
}

func (b *bench) start(slot contact.Slot, method verify.Method) (v verify.Verification, err error) {
	return b.startFor(seller, slot, method)
}

func (b *bench) startFor(id string, slot contact.Slot, method verify.Method) (v verify.Verification, err error) {
	err = b.db.Write(b.ctx, func(tx *store.Tx) (err error) {
		v, err = b.verifier.Start(b.ctx, tx, id, slot, method, key)
		return err
	})
	return v, err
}

func (b *bench) mustStart(slot contact.Slot, method verify.Method) verify.Verification {
	b.Helper()
	v, err := b.start(slot, method)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func (b *bench) resend(id string) (v verify.Verification, err error) {
	err = b.db.Write(b.ctx, func(tx *store.Tx) (err error) {
		v, err = b.verifier.Resend(b.ctx, tx, id, key)
		return err
	})
	return v, err
}

func (b *bench) check(id, code string) error {
	return b.verifier.Check(b.ctx, id, code, key, verify.Around{})
}

func (b *bench) get(id string) (v verify.Verification) {
	b.Helper()
	err := b.db.Read(b.ctx, func(tx *store.Tx) (err error) {
		v, err = b.verifier.Get(b.ctx, tx, id)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func (b *bench) state(slot contact.Slot) contact.State {
	b.Helper()
	var state contact.State
	b.write(func(tx *store.Tx) error {
		views, err := b.contacts.View(b.ctx, tx, seller)
		for _, v := range views {
			if v.Slot == slot.String() {
				state = v.State
			}
		}
		return err
	})
	return state
}

// runs are a slot's wrong guesses and messages in a row.
func (b *bench) runs(slot contact.Slot) (wrong, messages int) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		return tx.QueryRow(b.ctx, "SELECT wrong_run, message_run FROM verification_slot WHERE account_id = $1 AND slot = $2", seller, slot.String()).
			Scan(&wrong, &messages)
	})
	return wrong, messages
}

var (
	sixDigits = regexp.MustCompile(`\b\d{6}\b`)
	fiftyTwo  = regexp.MustCompile(`\b[0-9a-hjkmnp-tv-z]{52}\b`)
)

// code waits for the next message and reads the code in it.
func (b *bench) code() string {
	b.Helper()
	return b.codeIn(b.message())
}

func (b *bench) message() deliver.Message {
	b.Helper()
	select {
	case m := <-b.sent:
		return m
	case <-time.After(20 * time.Second):
		b.Fatal("no message arrived")
		return deliver.Message{}
	}
}

func (b *bench) codeIn(m deliver.Message) string {
	b.Helper()
	code := sixDigits.FindString(m.Text)
	if code == "" {
		b.Fatalf("no code in the message")
	}
	return code
}

// other returns a code that is not the given one.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func id(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).ID
}

func wantFault(t *testing.T, err error, want string) *fault.Error {
	t.Helper()
	if id(err) != want {
		t.Fatalf("got %q (%v), want %q", id(err), err, want)
	}
	var f *fault.Error
	errors.As(err, &f)
	return f
}

// onBoth runs a test over a new node on each engine, with the queue running, and a seller with two contacts.
func onBoth(t *testing.T, body func(b *bench)) {
	clock := apptest.NewClock(morning)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, clock, t.TempDir()+"/keys")
		b.run()
		b.seller(seller, "mei@example.com")
		body(b)
	})
}
