package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
)

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"${key_create}"`
	List   keyListCmd   `cmd:"" help:"${key_list}"`
	Revoke keyRevokeCmd `cmd:"" help:"${key_revoke}"`
	Rotate keyRotateCmd `cmd:"" help:"${key_rotate}"`
}

type keyCreateCmd struct {
	Name    string        `required:"" help:"${key_create_name}"`
	Scope   []string      `required:"" help:"${key_create_scope}"`
	Expires time.Duration `help:"${key_create_expires}"`
}

// Help is shown by --help.
func (keyCreateCmd) Help() string {
	return "Example:\n  countersign key create --data ./data --name \"order system\" --scope accounts:write,contacts:write,verifications:write\n\nScopes: " +
		strings.Join(auth.Scopes(), ", ")
}

// Run makes the key.
func (c *keyCreateCmd) Run(ctx context.Context, t terminal, g *Global) error {
	scopes, err := auth.ParseScopes(c.Scope)
	if err != nil {
		return err
	}
	return withApp(ctx, t, g, func(a *app) error {
		var secret string
		err := a.db.Write(ctx, func(tx *store.Tx) (err error) {
			var expires *time.Time
			if c.Expires > 0 {
				at := tx.Now().Add(c.Expires)
				expires = &at
			}
			secret, _, err = a.auth.Create(ctx, tx, c.Name, scopes, expires, event.CLI)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Fprintln(t.out, secret)
		fmt.Fprintln(t.err, i18n.Text(t.locale(), "cli.key-shown-once"))
		return nil
	})
}

type keyListCmd struct{}

// Run lists the keys.
func (c *keyListCmd) Run(ctx context.Context, t terminal, g *Global) error {
	return withApp(ctx, t, g, func(a *app) error {
		var keys []auth.Key
		err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
			keys, err = a.auth.List(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tSCOPES\tCREATED\tEXPIRES\tREVOKED")
		for _, k := range keys {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(k.ScopeNames(), ","),
				day(k.CreatedAt), day(k.ExpiresAt), day(k.RevokedAt))
		}
		return w.Flush()
	})
}

// day prints a date, and a time that does not exist as a dash.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

type keyRevokeCmd struct {
	ID string `arg:"" help:"${key_revoke_id}"`
}

// Run revokes the key.
func (c *keyRevokeCmd) Run(ctx context.Context, t terminal, g *Global) error {
	return withApp(ctx, t, g, func(a *app) error {
		return a.db.Write(ctx, func(tx *store.Tx) error { return a.auth.Revoke(ctx, tx, c.ID, event.CLI) })
	})
}

type keyRotateCmd struct{}

// Run makes a new wrapping key and wraps every account's data key with it; a running service does the same with
// those that it makes meanwhile.
func (c *keyRotateCmd) Run(ctx context.Context, t terminal, g *Global) error {
	return withApp(ctx, t, g, func(a *app) error {
		if err := a.keys.Rotate(ctx); err != nil {
			return err
		}
		total := 0
		for {
			n, err := a.keys.RewrapBatch(ctx, a.db, 500)
			if err != nil {
				return err
			}
			if total += n; n == 0 {
				break
			}
		}
		fmt.Fprintln(t.out, i18n.Text(t.locale(), "cli.keys-rotated", total))
		return nil
	})
}

// withApp opens the data for one command that sends nothing.
func withApp(ctx context.Context, t terminal, g *Global, do func(a *app) error) (err error) {
	s, err := g.load(t, nil)
	if err != nil {
		return err
	}
	a, err := open(ctx, s, parts{})
	if err != nil {
		return err
	}
	defer func() {
		if closing := a.Close(); err == nil {
			err = closing
		}
	}()
	a.remindOfKeys(t.err, func(id string, args ...any) string { return i18n.Text(t.locale(), id, args...) })
	return do(a)
}
