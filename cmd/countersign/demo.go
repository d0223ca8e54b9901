package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"countersign.dev/base/auth"
	"countersign.dev/base/config"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/face/web"
	"countersign.dev/importer"
)

//go:embed sample/accounts.csv
var sample embed.FS

const (
	samplePlatform = "Harbourline"
	sampleAccount  = "lotus-trading"
)

type demoCmd struct {
	Listen string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"${demo_listen}"`
	Once   bool   `help:"${demo_once}"`
}

// Help is shown by --help.
func (demoCmd) Help() string {
	return `Starts the service on a new database with ten sample accounts, and the page of a sample marketplace beside it. Open that
page, choose a seller, and verify their contacts as they would. Messages go to the outbox page: nothing leaves this
machine. The data is thrown away at the end, unless --data keeps it.

With --once it verifies both contacts of one account over the API while you watch, and ends.`
}

// Run starts the service with the marketplace beside it, and serves until it is stopped.
func (c *demoCmd) Run(ctx context.Context, t terminal, g *Global) (err error) {
	beside, err := c.besides()
	if err != nil {
		return err
	}
	m, clean, err := c.start(ctx, t, g, "http://"+beside.Addr().String())
	if err != nil {
		return errors.Join(err, beside.Close())
	}
	defer func() { err = errors.Join(err, m.Close(), clean()) }()
	say := func(id string, args ...any) { fmt.Fprintln(t.out, i18n.Text(t.locale(), id, args...)) }
	say("cli.demo-serving", samplePlatform, m.URL())

	secret, rows, err := furnish(ctx, m)
	if err != nil {
		return errors.Join(err, beside.Close())
	}
	say("cli.demo-imported", rows)
	api := &apiClient{url: m.URL(), key: secret}
	if c.Once {
		return errors.Join((&walk{ctx: ctx, out: t.out, api: api}).verify(say), beside.Close())
	}
	s := &site{api: api, url: m.Settings.Operator.Site, messages: func() string { return m.open.OneTimeURL(m.URL()) }}
	m.serve(beside, web.Wrap(s.handler(), web.Options{Log: m.app.log}))
	say("cli.demo-next", s.url, m.open.OneTimeURL(m.URL()), m.URL()+"/v1/docs", secret)
	say("cli.demo-stop")
	<-ctx.Done()
	return nil
}

// besides listens for the marketplace's own page: on the port after the service's usual one, or any that is free.
func (c *demoCmd) besides() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:8081")
	if err != nil && addressInUse(err) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

// start runs the service over a directory of its own.
func (c *demoCmd) start(ctx context.Context, t terminal, g *Global, site string) (m *Main, clean func() error, err error) {
	s := config.Default()
	s.Operator.Name, s.Listen, s.Log.Level, s.DatabaseURL = samplePlatform, c.Listen, "warn", g.Database
	s.Operator.Site, s.Operator.Help, s.Operator.Accent, s.ReturnURLs = site, "help@harbourline.example", "#0b5c6b", []string{site}
	clean = func() error { return nil }
	if s.Data = g.Data; s.Data == "" {
		if s.Data, err = os.MkdirTemp("", "countersign-demo-"); err != nil {
			return nil, nil, err
		}
		clean = func() error { return os.RemoveAll(s.Data) }
	}
	if s.Operator.Logo, err = placeLogo(s.Data); err != nil {
		return nil, nil, errors.Join(err, clean())
	}
	m = &Main{Settings: s, Terminal: t}
	if err = m.Run(ctx); err != nil && addressInUse(err) {
		m = &Main{Settings: s, Terminal: t}
		m.Settings.Listen = "127.0.0.1:0"
		err = m.Run(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, m.Close(), clean())
	}
	return m, clean, nil
}

// placeLogo puts the marketplace's logo where the settings can name it.
func placeLogo(dir string) (path string, err error) {
	path = filepath.Join(dir, "logo.svg")
	if err = os.MkdirAll(dir, 0o700); err == nil {
		err = os.WriteFile(path, sampleLogo, 0o600)
	}
	return path, err
}

// furnish imports the sample marketplace and makes a key for the walk.
func furnish(ctx context.Context, m *Main) (secret string, rows int64, err error) {
	file, err := sample.Open("sample/accounts.csv")
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	im := importer.New(importer.Options{DB: m.app.db, Accounts: m.app.accounts, Contacts: m.app.contacts})
	result, err := im.Import(ctx, file, importer.CSV, io.Discard, i18n.En, nil)
	if err != nil {
		return "", 0, err
	}
	if result.Bad > 0 {
		return "", 0, fmt.Errorf("%d rows of the sample were refused", result.Bad)
	}
	err = m.app.db.Write(ctx, func(tx *store.Tx) (err error) {
		secret, _, err = m.app.auth.Create(ctx, tx, "demo", []auth.Scope{auth.All}, nil, event.CLI)
		return err
	})
	return secret, int64(result.Imported), err
}
