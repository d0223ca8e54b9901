package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/config"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
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
	return `Starts the service on a new database with ten sample accounts, verifies both contacts of one of them over HTTP while
you watch, and says where to look further. Messages go to the outbox page: nothing leaves this machine. The data is
thrown away at the end, unless --data keeps it.`
}

// Run starts the service, lets a walk through it be seen and serves on.
func (c *demoCmd) Run(ctx context.Context, t terminal, g *Global) (err error) {
	m, clean, err := c.start(ctx, t, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close(), clean()) }()
	say := func(id string, args ...any) { fmt.Fprintln(t.out, i18n.Text(t.locale(), id, args...)) }
	say("cli.demo-serving", samplePlatform, m.URL())

	secret, rows, err := furnish(ctx, m)
	if err != nil {
		return err
	}
	say("cli.demo-imported", rows)
	w := &walk{ctx: ctx, out: t.out, url: m.URL(), key: secret}
	if err := w.verify(say); err != nil {
		return err
	}
	say("cli.demo-next", m.open.OneTimeURL(m.URL()), m.URL()+"/v1/docs", secret)
	if c.Once {
		return nil
	}
	say("cli.demo-stop")
	<-ctx.Done()
	return nil
}

// start runs the service over a directory of its own.
func (c *demoCmd) start(ctx context.Context, t terminal, g *Global) (m *Main, clean func() error, err error) {
	s := config.Default()
	s.Operator.Name, s.Listen, s.Log.Level, s.DatabaseURL = samplePlatform, c.Listen, "warn", g.Database
	clean = func() error { return nil }
	if s.Data = g.Data; s.Data == "" {
		if s.Data, err = os.MkdirTemp("", "countersign-demo-"); err != nil {
			return nil, nil, err
		}
		clean = func() error { return os.RemoveAll(s.Data) }
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

// walk verifies the contacts of one account as an integrator would, over HTTP, and prints what is said.
type walk struct {
	ctx context.Context
	out io.Writer
	url string
	key string
}

func (w *walk) verify(say func(id string, args ...any)) error {
	contacts := "/v1/accounts/" + sampleAccount + "/contacts"
	if _, err := w.call(http.MethodGet, contacts, nil); err != nil {
		return err
	}
	for _, step := range []struct{ slot, method, text string }{
		{"email", "code", "cli.demo-email"},
		{"phone", "sms", "cli.demo-phone"},
	} {
		say(step.text, sampleAccount)
		v, err := w.call(http.MethodPost, contacts+"/"+step.slot+"/verifications", map[string]any{"method": step.method})
		if err != nil {
			return err
		}
		code, err := w.code(map[string]string{"code": "email", "sms": "sms"}[step.method])
		if err != nil {
			return err
		}
		if _, err := w.call(http.MethodPost, fmt.Sprintf("/v1/verifications/%s/check", v["id"]), map[string]any{"code": code}); err != nil {
			return err
		}
	}
	say("cli.demo-done", sampleAccount)
	_, err := w.call(http.MethodGet, contacts, nil)
	return err
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code reads the newest code of a channel from the outbox, as the account holder reads it on a screen.
func (w *walk) code(channel string) (string, error) {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		var messages []struct{ Channel, To, Subject, Text string }
		body, err := w.raw(http.MethodGet, "/outbox.json", nil)
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(body, &messages); err != nil {
			return "", err
		}
		for _, m := range messages {
			if code := sixDigits.FindString(m.Text); m.Channel == channel && code != "" {
				fmt.Fprintf(w.out, "    [%s → %s] %s\n", channel, m.To, code)
				return code, nil
			}
		}
		select {
		case <-w.ctx.Done():
			return "", w.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return "", errors.New("no message arrived in the outbox")
}

// call makes one request and prints it with its answer.
func (w *walk) call(method, path string, in map[string]any) (out map[string]any, err error) {
	var sent []byte
	if in != nil {
		if sent, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(w.out, "  → %s %s %s\n", method, path, sent)
	body, err := w.raw(method, path, sent)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if json.Indent(&indented, bytes.TrimSpace(body), "    ", "  ") == nil {
		fmt.Fprintf(w.out, "  ← %s\n", indented.Bytes())
	}
	return out, json.Unmarshal(body, &out)
}

func (w *walk) raw(method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(w.ctx, method, w.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, all)
	}
	return all, err
}
