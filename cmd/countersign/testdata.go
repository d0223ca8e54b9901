package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/outbox"
	"countersign.dev/contact"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

// A data directory that one version wrote is kept, and every later version must open it and find in it what was
// written: manifest.json, beside the data, says what that is.

type genTestdataCmd struct {
	Dir string `arg:""` // it must not exist yet
}

type verifyTestdataCmd struct {
	Dir string `arg:""` // it is migrated
}

const manifestName = "manifest.json"

// manifest is what stands in a kept data directory.
type manifest struct {
	Version  string
	Accounts []keptAccount
}

type keptAccount struct {
	ID       string
	Name     string
	Mailbox  string
	Contacts []keptContact
	Notices  []notice.Shown
	Events   []string
}

type keptContact struct {
	Slot    string
	State   contact.State
	Value   string
	Pending string
}

// Run writes the directory.
func (c *genTestdataCmd) Run(ctx context.Context, g *Global, t terminal) error {
	if _, err := os.Stat(c.Dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s exists already", errUsage, c.Dir)
	}
	box := outbox.New()
	a, err := openKept(ctx, g, t, c.Dir, parts{
		origin:  "https://portal.example.com",
		senders: func(*seal.Keyring) (map[string]deliver.Sender, error) { return outboxFor(box), nil },
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	go a.queue.Run(running)
	err = (&keeper{ctx: ctx, a: a, box: box}).fill()
	stop()
	<-a.queue.Ended()
	if err == nil {
		err = a.events.Drain(ctx)
	}
	if err == nil {
		err = a.writeManifest(ctx, c.Dir)
	}
	return errors.Join(err, a.db.Checkpoint(ctx), a.Close())
}

func openKept(ctx context.Context, g *Global, t terminal, dir string, p parts) (*app, error) {
	s, err := g.load(t, map[string]string{"data": dir, "operator.name": samplePlatform})
	if err != nil {
		return nil, err
	}
	if p.brand, err = loadBrand(s.Operator); err != nil {
		return nil, err
	}
	return open(ctx, s, p)
}

// keeper fills a directory with one of each.
type keeper struct {
	ctx context.Context
	a   *app
	box *outbox.Outbox
	n   int // messages so far
}

func (k *keeper) fill() error {
	mailbox := "orders@lotus-trading.example"
	steps := []func() error{
		func() error {
			return k.account(account.Input{ID: "lotus-trading", Name: "莲花贸易有限公司", Locale: "zh-CN", TimeZone: "Asia/Shanghai", Country: "CN", Mailbox: &mailbox})
		},
		func() error {
			return k.account(account.Input{ID: "blue-kiln", Name: "Blue Kiln Ceramics", Country: "GB"})
		},
		func() error { return k.set("lotus-trading", "email", "mei@lotus-trading.example", "") },
		func() error { return k.set("lotus-trading", "phone", "138 0013 8000", "") },
		func() error { return k.set("blue-kiln", "phone", "020 7946 0000", "12") },
		func() error { return k.verify("lotus-trading", "email", verify.Code) },
		func() error { return k.verify("lotus-trading", "phone", verify.SMS) },
		func() error { return k.set("lotus-trading", "email", "lin@lotus-trading.example", "") },
		func() error { return k.postpone("blue-kiln", "phone") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeper) write(fn func(tx *store.Tx) error) error { return k.a.db.Write(k.ctx, fn) }

func (k *keeper) account(in account.Input) error {
	return k.write(func(tx *store.Tx) error {
		_, _, err := k.a.accounts.Put(k.ctx, tx, in, event.CLI)
		return err
	})
}

func (k *keeper) set(id, slotName, value, extension string) error {
	slot, err := contact.ParseSlot(slotName)
	if err != nil {
		return err
	}
	return k.write(func(tx *store.Tx) error {
		_, _, err := k.a.contacts.Set(k.ctx, tx, id, slot, value, extension, event.CLI)
		return err
	})
}

func (k *keeper) postpone(id, slotName string) error {
	slot, err := contact.ParseSlot(slotName)
	if err != nil {
		return err
	}
	return k.write(func(tx *store.Tx) error {
		_, err := k.a.contacts.Defer(k.ctx, tx, id, slot, tx.Now().Add(72*time.Hour), "on a trade fair", event.CLI)
		return err
	})
}

func (k *keeper) verify(id, slotName string, method verify.Method) error {
	slot, err := contact.ParseSlot(slotName)
	if err != nil {
		return err
	}
	var v verify.Verification
	err = k.write(func(tx *store.Tx) (err error) {
		v, err = k.a.verifier.Start(k.ctx, tx, id, slot, method, event.CLI)
		return err
	})
	if err != nil {
		return err
	}
	k.n++
	if err := k.box.Wait(k.ctx, k.n); err != nil {
		return err
	}
	code := regexp.MustCompile(`[0-9]{6}`).FindString(k.box.Messages()[0].Text)
	return k.a.verifier.Check(k.ctx, v.ID, code, event.CLI, verify.Around{})
}

func (a *app) writeManifest(ctx context.Context, dir string) error {
	m, err := a.manifest(ctx, []string{"lotus-trading", "blue-kiln"})
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestName), append(raw, '\n'), 0o600)
}

// manifest reads what the database holds of accounts, opened.
func (a *app) manifest(ctx context.Context, ids []string) (m manifest, err error) {
	m.Version = version
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		for _, id := range ids {
			kept, err := a.kept(ctx, tx, id)
			if err != nil {
				return fmt.Errorf("account %s: %w", id, err)
			}
			m.Accounts = append(m.Accounts, kept)
		}
		return nil
	})
	return m, err
}

func (a *app) kept(ctx context.Context, tx *store.Tx, id string) (k keptAccount, err error) {
	acc, contacts, err := a.contacts.All(ctx, tx, id)
	if err != nil {
		return k, err
	}
	k = keptAccount{ID: id, Name: acc.Name, Mailbox: acc.Mailbox.String()}
	for _, c := range contacts {
		one := keptContact{Slot: c.Slot.String(), State: c.State, Value: c.String()}
		if c.Pending != nil {
			one.Pending = c.Pending.String()
		}
		k.Contacts = append(k.Contacts, one)
	}
	if k.Notices, err = a.notices.OfAccount(ctx, tx, id, "", 1000); err != nil {
		return k, err
	}
	events, err := event.OfAccount(ctx, tx, id, "", 1000)
	for _, e := range events {
		k.Events = append(k.Events, e.Type)
	}
	slices.Reverse(k.Events)
	return k, err
}

// Run opens the directory, migrates it and compares what it holds with its manifest.
func (c *verifyTestdataCmd) Run(ctx context.Context, g *Global, t terminal) error {
	raw, err := os.ReadFile(filepath.Join(c.Dir, manifestName))
	if err != nil {
		return err
	}
	var want manifest
	if err := json.Unmarshal(raw, &want); err != nil {
		return err
	}
	a, err := openKept(ctx, g, t, c.Dir, parts{origin: "https://portal.example.com"})
	if err != nil {
		return err
	}
	return errors.Join(a.compare(ctx, t, want), a.Close())
}

func (a *app) compare(ctx context.Context, t terminal, want manifest) error {
	ids := make([]string, len(want.Accounts))
	for i, k := range want.Accounts {
		ids[i] = k.ID
	}
	got, err := a.manifest(ctx, ids)
	if err != nil {
		return err
	}
	for i := range want.Accounts {
		before, _ := json.Marshal(want.Accounts[i])
		after, _ := json.Marshal(got.Accounts[i])
		if string(before) != string(after) {
			return fmt.Errorf("account %s is not what version %s wrote:\n%s\n%s", ids[i], want.Version, before, after)
		}
	}
	fmt.Fprintf(t.out, "%d accounts are what version %s wrote\n", len(ids), want.Version)
	return nil
}
