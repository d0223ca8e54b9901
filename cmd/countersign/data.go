package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"countersign.dev/base/config"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/importer"
)

type migrateCmd struct{}

// Run migrates; opening the data does it.
func (c *migrateCmd) Run(ctx context.Context, t terminal, g *Global) error {
	return withApp(ctx, t, g, func(a *app) error {
		version, err := a.db.SchemaVersion(ctx)
		if err == nil {
			fmt.Fprintln(t.out, i18n.Text(t.locale(), "cli.migrated", version))
		}
		return err
	})
}

type importCmd struct {
	Accounts importAccountsCmd `cmd:"" help:"${import_accounts}"`
}

type importAccountsCmd struct {
	File   string `arg:"" help:"${import_accounts_file}"`
	Format string `enum:"auto,csv,ndjson" default:"auto" help:"${import_accounts_format}"`
}

// Help is shown by --help.
func (importAccountsCmd) Help() string {
	return `Columns: account (the platform's id, required), name, locale, time_zone, country, mailbox, email … email-5,
phone … phone-5, and phone_extension, phone-2_extension … for the digits to dial after an answer.

Imported contacts are unverified. Good rows go in; bad ones are listed by line and field in FILE.errors.csv.

Example:
  countersign import accounts sellers.csv --data ./data`
}

// Run imports the file.
func (c *importAccountsCmd) Run(ctx context.Context, t terminal, g *Global) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	in, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	return withApp(ctx, t, g, func(a *app) error { return c.run(ctx, t, a, in, format) })
}

func (c *importAccountsCmd) format() (importer.Format, error) {
	name := c.Format
	if name == "auto" {
		name = strings.TrimPrefix(filepath.Ext(c.File), ".")
	}
	switch name {
	case "csv":
		return importer.CSV, nil
	case "ndjson", "jsonl":
		return importer.NDJSON, nil
	}
	return "", fmt.Errorf("%w: the file's name says neither CSV nor NDJSON; use --format", errUsage)
}

func (c *importAccountsCmd) run(ctx context.Context, t terminal, a *app, in *os.File, format importer.Format) error {
	bad := c.File + ".errors.csv"
	out, err := os.OpenFile(bad, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	im := importer.New(importer.Options{DB: a.db, Accounts: a.accounts, Contacts: a.contacts})
	result, err := im.Import(ctx, in, format, out, t.locale(), func(p importer.Progress) {
		fmt.Fprintln(t.err, i18n.Text(t.locale(), "cli.import-progress", p.Rows))
	})
	if closing := out.Close(); err == nil {
		err = closing
	}
	if err == nil && result.Bad == 0 {
		err = os.Remove(bad)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, i18n.Text(t.locale(), "cli.imported", result.Imported, result.Rows))
	if result.Bad > 0 {
		return fmt.Errorf("%s", i18n.Text(t.locale(), "cli.import-bad", result.Bad, bad))
	}
	return nil
}

type contactCmd struct {
	Unlock contactUnlockCmd `cmd:"" help:"${contact_unlock}"`
}

type contactUnlockCmd struct {
	Account string `arg:"" help:"${contact_unlock_account}"`
	Slot    string `arg:"" help:"${contact_unlock_slot}"`
}

// Run unlocks.
func (c *contactUnlockCmd) Run(ctx context.Context, t terminal, g *Global) error {
	slot, err := contact.ParseSlot(c.Slot)
	if err != nil {
		return err
	}
	return withApp(ctx, t, g, func(a *app) error {
		err := a.db.Write(ctx, func(tx *store.Tx) error { return a.verifier.Unlock(ctx, tx, c.Account, slot, event.CLI) })
		if err == nil {
			fmt.Fprintln(t.out, i18n.Text(t.locale(), "cli.unlocked", c.Slot, c.Account))
		}
		return err
	})
}

type configCmd struct{}

// Run prints the settings as they are in force, secrets masked.
func (c *configCmd) Run(t terminal, g *Global) error {
	s, err := g.load(t, nil)
	if err != nil {
		return err
	}
	return config.Print(t.out, s)
}

// version is set when a release is built.
var version = "0.1.0-dev"

type versionCmd struct{}

// Run prints the version, the commit it was built from and the Go version.
func (c *versionCmd) Run(t terminal) error { //nolint:unparam // the signature of every command
	fmt.Fprintf(t.out, "countersign %s %s %s/%s\n", version+revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "+" + s.Value[:12]
		}
	}
	return ""
}
