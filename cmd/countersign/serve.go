package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"countersign.dev/base/config"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/ratelimit"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/mail"
	"countersign.dev/channel/outbox"
	"countersign.dev/face/api"
	facebox "countersign.dev/face/outbox"
	"countersign.dev/face/portal"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
)

type serveCmd struct {
	Listen        string `placeholder:"HOST:PORT" help:"${serve_listen}"`
	PublicURL     string `name:"public-url" placeholder:"URL" help:"${serve_public_url}"`
	MetricsListen string `name:"metrics-listen" placeholder:"HOST:PORT" help:"${serve_metrics_listen}"`
}

// Help is shown by --help.
func (serveCmd) Help() string {
	return `Examples:
  countersign serve --data ./data
      on the embedded database; without a mail server, messages are shown at /outbox
  COUNTERSIGN_SMTP_URL=smtp://mail.example.com:587 COUNTERSIGN_MAIL_FROM=contacts@example.com \
  countersign serve --data ./data --public-url https://contacts.example.com
      sends real mail
  countersign serve --data ./data --database postgres://countersign@db/countersign
      on PostgreSQL; start as many as you like with the same keyset (COUNTERSIGN_KEYSET)`
}

// Run serves until the context ends.
func (c *serveCmd) Run(ctx context.Context, t terminal, g *Global) error {
	m := &Main{Terminal: t}
	if err := m.ParseFlags(g, c); err != nil {
		return err
	}
	if err := m.Run(ctx); err != nil {
		return errors.Join(err, m.Close())
	}
	fmt.Fprintln(t.out, "listening on "+m.URL())
	m.greet()
	select {
	case <-ctx.Done():
	case err := <-m.failed:
		return errors.Join(err, m.Close())
	}
	return m.Close()
}

// Main is the running service as a value: a test fills in Settings, calls Run, and has the real program on port 0.
type Main struct {
	Settings config.Settings
	Terminal terminal
	Now      func() time.Time // the test clock; nil for the real one

	app     *app
	lock    *os.File       // on the data directory of an embedded database
	outbox  *outbox.Outbox // nil beside a real channel
	open    *facebox.Page
	brand   *ui.Brand
	mux     *web.Mux
	portal  *portal.Portal
	api     *api.API
	metrics *api.Metrics
	mailer  *mail.Sender
	servers []*http.Server
	url     string
	stop    context.CancelFunc
	running sync.WaitGroup
	failed  chan error
	jobs    *store.Jobs
}

// ParseFlags reads the settings.
func (m *Main) ParseFlags(g *Global, c *serveCmd) (err error) {
	m.Settings, err = g.load(m.Terminal, map[string]string{
		"listen": c.Listen, "public_url": c.PublicURL, "metrics_listen": c.MetricsListen,
	})
	return err
}

// Run opens everything and starts to serve. It returns once the service answers; Close ends it.
func (m *Main) Run(ctx context.Context) error {
	m.failed = make(chan error, 4)
	listener, err := net.Listen("tcp", m.Settings.Listen)
	if err != nil {
		return err
	}
	m.url = "http://" + listener.Addr().String()
	if err := m.assemble(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	m.running.Go(func() { m.app.queue.Run(background) })
	m.running.Go(func() { m.app.events.Run(background) })
	if err := m.schedule(background); err != nil {
		return errors.Join(err, listener.Close())
	}
	m.serve(listener, m.handler())
	return m.serveMetrics()
}

// URL is where the service listens.
func (m *Main) URL() string { return m.url }

// PublicURL is where people reach it.
func (m *Main) publicURL() string {
	if m.Settings.PublicURL != "" {
		return strings.TrimSuffix(m.Settings.PublicURL, "/")
	}
	return m.url
}

// assemble chooses the channels and wires the features.
func (m *Main) assemble(ctx context.Context) error {
	brand, err := loadBrand(m.Settings.Operator)
	if err != nil {
		return err
	}
	m.brand = brand
	if m.Settings.SMTP.URL == "" && !m.Settings.Outbox() {
		return fault.New(fault.Invalid, "no-mail-server")
	}
	if strings.HasPrefix(m.Settings.Database(), "sqlite:") {
		if m.lock, err = lockData(m.Settings.Data); err != nil {
			return err
		}
	}
	m.app, err = open(ctx, m.Settings, parts{senders: m.senders, origin: m.publicURL(), brand: brand, log: m.logger(), now: m.Now})
	return err
}

// senders are the real channels, or the outbox for all of them.
func (m *Main) senders(k *seal.Keyring) (map[string]deliver.Sender, error) {
	if m.Settings.SMTP.URL == "" {
		m.outbox = outbox.New()
		return outboxFor(m.outbox), nil
	}
	sender, err := newMailer(m.Settings, k, m.Now)
	if err != nil {
		return nil, err
	}
	m.mailer = sender
	return map[string]deliver.Sender{deliver.Email: sender}, nil
}

func outboxFor(box *outbox.Outbox) map[string]deliver.Sender {
	return map[string]deliver.Sender{deliver.Email: box, deliver.SMS: box}
}

func (m *Main) logger() *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(m.Settings.Log.Level)) // validated with the settings
	options := &slog.HandlerOptions{Level: level}
	if m.Settings.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(m.Terminal.err, options))
	}
	return slog.New(slog.NewTextHandler(m.Terminal.err, options))
}

// schedule starts what is due from time to time. Each round is bounded; what is left waits for the next.
func (m *Main) schedule(ctx context.Context) error {
	a := m.app
	m.jobs = a.db.Jobs()
	m.jobs.Periodic("verifications-expire", 10*time.Second, rounds(500, a.verifier.SweepExpired))
	m.jobs.Periodic("contacts-expire", time.Minute, rounds(500, func(ctx context.Context, limit int) (int, error) {
		return a.contacts.SweepExpired(ctx, a.db, limit)
	}))
	m.jobs.Periodic("contacts-remind", time.Minute, rounds(500, func(ctx context.Context, limit int) (int, error) {
		return a.contacts.SweepReminders(ctx, a.db, limit)
	}))
	m.jobs.Periodic("refusals-watch", time.Minute, func(ctx context.Context) error { return a.contacts.WatchRefusals(ctx, a.db) })
	m.jobs.Periodic("limits-forget", 10*time.Minute, rounds(5000, func(ctx context.Context, limit int) (int, error) {
		n, err := ratelimit.Sweep(ctx, a.db, limit)
		return int(n), err
	}))
	m.jobs.Periodic("idempotency-forget", 10*time.Minute, rounds(5000, func(ctx context.Context, limit int) (int, error) {
		return api.SweepIdempotency(ctx, a.db, limit)
	}))
	m.jobs.Periodic("sessions-forget", 10*time.Minute, rounds(5000, a.sessions.Sweep))
	m.jobs.Periodic("data-keys-rewrap", time.Minute, rounds(200, func(ctx context.Context, limit int) (int, error) {
		return a.keys.RewrapBatch(ctx, a.db, limit)
	}))
	store.Work(m.jobs, a.removeLeftovers)
	return m.jobs.Start(ctx)
}

// rounds repeats a bounded sweep while it finds as much as it may take.
func rounds(limit int, sweep func(ctx context.Context, limit int) (int, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			n, err := sweep(ctx, limit)
			if err != nil || n < limit {
				return err
			}
		}
	}
}

func (m *Main) serve(l net.Listener, h http.Handler) {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
	m.servers = append(m.servers, s)
	m.running.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			m.failed <- err
		}
	})
}

// Close stops taking requests, lets what is under way finish, and closes the database.
func (m *Main) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	var errs []error
	for _, s := range m.servers {
		errs = append(errs, s.Shutdown(ctx))
	}
	if m.jobs != nil {
		errs = append(errs, m.jobs.Stop(ctx))
	}
	if m.stop != nil {
		m.stop()
	}
	m.running.Wait()
	if m.mailer != nil {
		errs = append(errs, m.mailer.Close())
	}
	if m.app != nil {
		errs = append(errs, m.app.Close())
	}
	if m.lock != nil {
		errs = append(errs, m.lock.Close())
	}
	return errors.Join(errs...)
}

// greet tells a person at the terminal what they should know once.
func (m *Main) greet() {
	say := func(id string, args ...any) string { return i18n.Text(m.Terminal.locale(), id, args...) }
	m.app.remindOfKeys(m.Terminal.err, say)
	if m.outbox != nil {
		fmt.Fprintln(m.Terminal.err, say("cli.outbox-mode", m.open.OneTimeURL(m.url)))
	}
	if m.Settings.Operator.Name == config.Default().Operator.Name {
		fmt.Fprintln(m.Terminal.err, say("cli.operator-unnamed"))
	}
	if err := m.brand.MailLogoFault(); err != nil {
		m.Terminal.complain(err)
	}
	if len(m.Settings.ReturnURLs) == 0 {
		fmt.Fprintln(m.Terminal.err, say("cli.no-return-urls"))
	}
	if m.mailer != nil && m.Settings.DKIM.Domain == "" {
		fmt.Fprintln(m.Terminal.err, say("cli.no-dkim"))
	}
}
