package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/riverqueue/river"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/config"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

// app is the program's parts, wired together over one database. Every subcommand that works on data opens one.
type app struct {
	settings config.Settings
	log      *slog.Logger
	db       *store.DB
	keys     *seal.Keyring
	newKeys  bool // the keyset was made just now
	auth     *auth.Auth
	sessions *auth.Sessions
	accounts *account.Accounts
	contacts *contact.Contacts
	queue    *deliver.Queue
	notices  *notice.Registry
	verifier *verify.Verifier
	events   *event.Dispatcher
}

// parts are what differs between a service that sends and a command that does not.
type parts struct {
	senders func(k *seal.Keyring) (map[string]deliver.Sender, error) // by channel; nil: nothing is sent
	origin  string                                                   // the public URL, without a slash at its end
	brand   *ui.Brand                                                // how pages and mails look; may be nil where none are made
	log     *slog.Logger
	now     func() time.Time // the test clock; nil for the real one
}

// open connects to the database, brings it to this version's schema, attaches the keys and wires the features.
func open(ctx context.Context, s config.Settings, p parts) (*app, error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, err
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	db, err := store.Open(ctx, store.Options{URL: s.Database(), Log: p.log, Now: p.now})
	if err != nil {
		return nil, err
	}
	a := &app{settings: s, log: p.log, db: db}
	if err := a.wire(ctx, p); err != nil {
		_ = db.Close() // the first error is the one to tell
		return nil, err
	}
	return a, nil
}

func (a *app) wire(ctx context.Context, p parts) (err error) {
	if err := a.db.Migrate(ctx); err != nil {
		return err
	}
	a.keys, a.newKeys, err = seal.Attach(ctx, a.db, seal.Options{Dir: filepath.Join(a.settings.Data, "keys"), Keyset: a.settings.Keyset})
	if err != nil {
		return err
	}
	a.auth = auth.New(auth.Options{DB: a.db, Keys: a.keys})
	if err := a.wireSessions(); err != nil {
		return err
	}
	a.accounts = account.New(account.Options{
		Keys:       a.keys,
		Erase:      []func(context.Context, *store.Tx, string) error{contact.Erase, eraseTraces, eraseLeftovers},
		AfterErase: a.leaveTheDisk,
	})
	c := a.settings.Contact
	a.contacts = contact.New(contact.Options{
		Keys: a.keys, Accounts: a.accounts,
		MaxAge: c.MaxAge, RemindBefore: c.RemindBefore, ChangeWindow: c.ChangeWindow,
		DeferralDays: c.DeferralDays, DeferralTimes: c.DeferralTimes,
		TargetOf: deliver.TargetIndex, Refusals: deliver.Finished,
	})
	var senders map[string]deliver.Sender
	if p.senders != nil {
		if senders, err = p.senders(a.keys); err != nil {
			return err
		}
	}
	a.queue = deliver.New(deliver.Options{DB: a.db, Senders: senders, Lease: a.settings.Delivery.Lease, Log: a.log, Alone: a.db.Engine() == store.SQLite})
	if a.notices, err = a.registry(p); err != nil {
		return err
	}
	a.queue.Composes(a.notices.Compose)
	a.verifier = verify.New(verify.Options{
		DB: a.db, Keys: a.keys, Contacts: a.contacts, Notices: a.notices, HasRoute: a.queue.Has, Limits: limits(a.settings.Verify),
	})
	a.events = event.NewDispatcher(event.Options{
		DB: a.db, Holder: store.NewID(a.db.Now()), Log: a.log,
		Listeners: []event.Listener{
			{Name: "contact", Types: []string{"delivery.refused"}, Handle: a.contacts.DeliveryRefused},
			{Name: "notice", Types: notice.ChangeEvents, Handle: a.notices.OnChange},
		},
	})
	return a.notices.Install(ctx, a.db)
}

// wireSessions makes what opens the portal, for the addresses that the settings let people return to.
func (a *app) wireSessions() error {
	urls, err := auth.ParseReturnURLs(a.settings.ReturnURLs)
	if err != nil {
		return err
	}
	a.sessions = auth.NewSessions(auth.SessionsOptions{
		DB: a.db, Keys: a.keys, ReturnURLs: urls, Idle: a.settings.Portal.Idle, Life: a.settings.Portal.Life,
	})
	return nil
}

// registry makes the registry of notices, with the operator's looks where messages are made.
func (a *app) registry(p parts) (*notice.Registry, error) {
	o := notice.Options{
		Keys: a.keys, Queue: a.queue, Accounts: a.accounts, Contacts: a.contacts,
		Platform: a.settings.Operator.Name, Help: a.settings.Operator.Help, Origin: p.origin,
	}
	u, err := url.Parse(p.origin)
	if err != nil {
		return nil, err
	}
	o.Host = u.Hostname()
	if p.brand != nil {
		o.Accent, o.Logo = p.brand.Accent(), p.brand.MailLogo()
	}
	return notice.New(o), nil
}

func limits(s config.Verify) verify.Limits {
	l := verify.Default()
	l.CoolDown, l.Messages, l.SlotADay, l.DestinationDay = s.Cooldown, s.Messages, s.SlotDaily, s.DestinationDaily
	l.Guesses, l.LockAfter, l.SMSLife, l.CodeLife, l.LinkLife = s.Guesses, s.LockAfter, s.SMSLife, s.EmailLife, s.LinkLife
	return l
}

// always is later than any row.
var always = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// eraseTraces removes an account's sessions, its verifications and what was sent to it.
func eraseTraces(ctx context.Context, tx *store.Tx, id string) error {
	return eraseTracesBefore(ctx, tx, id, always)
}

func eraseTracesBefore(ctx context.Context, tx *store.Tx, id string, before time.Time) error {
	for _, erase := range []func(context.Context, *store.Tx, string, time.Time) error{auth.EraseSessions, verify.Erase, notice.Erase, deliver.Erase} {
		if err := erase(ctx, tx, id, before); err != nil {
			return err
		}
	}
	return nil
}

// leftovers is the job that removes what transactions that overlapped an erasure wrote of the account: on
// PostgreSQL one of them may have read the account before it went.
type leftovers struct {
	Account string `json:"account"`
}

// Kind is the name of these jobs in the database.
func (leftovers) Kind() string { return "erase-leftovers" }

// eraseLeftovers has the job run when every transaction that was open has ended (the store bounds them).
func eraseLeftovers(ctx context.Context, tx *store.Tx, id string) error {
	return tx.Enqueue(ctx, leftovers{Account: id}, &river.InsertOpts{ScheduledAt: tx.Now().Add(2 * time.Minute)})
}

// removeLeftovers is the job's work; an account that has come back keeps what it has had since.
func (a *app) removeLeftovers(ctx context.Context, job leftovers) error {
	return a.db.Write(ctx, func(tx *store.Tx) error {
		before := always
		acc, err := a.accounts.Get(ctx, tx, job.Account)
		if err == nil {
			before = acc.CreatedAt
		} else if !fault.Is(err, "unknown-account") {
			return err
		}
		return eraseTracesBefore(ctx, tx, job.Account, before)
	})
}

// leaveTheDisk empties SQLite's write-ahead log, in which erased data would otherwise wait for the next checkpoint.
func (a *app) leaveTheDisk() {
	if err := a.db.Checkpoint(context.Background()); err != nil {
		a.log.Warn("the write-ahead log could not be emptied after an erasure; the next one tries again", "error", err)
	}
}

func (a *app) Close() error { return a.db.Close() }

// remindOfKeys says, once, that the keys need a backup of their own.
func (a *app) remindOfKeys(w io.Writer, say func(id string, args ...any) string) {
	if a.newKeys {
		fmt.Fprintln(w, say("cli.keys-made", filepath.Join(a.settings.Data, "keys")))
	}
}
