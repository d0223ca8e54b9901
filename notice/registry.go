// Package notice keeps every message of the platform on record, and puts it on its way.
//
// Send stores a notice and its delivery with the caller's transaction, so it is on record before its first byte
// leaves. The record is the template's version, the sealed variables and blanks where a secret stood: a code is
// in the delivery's sealed payload alone, until the message is taken or expires. A version is stored compiled
// and never changes, so a later program shows an old notice as it was sent.
//
// OnChange listens to what happens to contacts and mailboxes, and tells those concerned.
//
// The package leans on account, contact, channel/deliver, channel/telephony and base.
package notice

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
)

// Class says who gets a notice and how it is handled.
type Class string

// The classes. A code's message goes to the contact that it proves and nowhere else. A critical notice goes to the
// mailbox, to the contacts in force and to whom it is about; for the window of a change the former contact is told that
// it went out.
const (
	ClassCode     Class = "code"
	ClassCritical Class = "critical"
)

// Options wire a Registry.
type Options struct {
	Keys     *seal.Keyring
	Queue    *deliver.Queue
	Accounts *account.Accounts // for OnChange
	Contacts *contact.Contacts // for OnChange

	Platform string // the operator's name as every message shows it
	Host     string // of the page where codes are typed
	Origin   string // the public URL that links in mails begin with, without a slash at its end
	Help     string // where account holders get help, an address or a page; may be empty
	Accent   string // "#rrggbb" that white can be read on; required where mails are sent
	Logo     []byte // PNG that mails show; nil: they show the name
}

// Registry makes and keeps notices.
type Registry struct {
	o       Options
	current map[string]*version // the version in force, by template name

	mu    sync.RWMutex
	known map[string]*version // by version id
}

// New returns a registry; Install must run before Send.
func New(o Options) *Registry {
	r := &Registry{o: o, current: map[string]*version{}, known: map[string]*version{}}
	return r
}

// Install makes the built-in templates versions in force, storing those that the database does not have. How the mails
// look is no part of a version: a command that sends nothing, and knows no accent, puts the same ones in force.
func (r *Registry) Install(ctx context.Context, db *store.DB) error {
	if r.o.Accent == "" && r.o.Queue.Has(deliver.Email) {
		return errors.New("notice: mails need an accent")
	}
	templates, err := builtin(r.o.Help != "")
	if err != nil {
		return err
	}
	return db.Write(ctx, func(tx *store.Tx) error {
		for _, v := range templates {
			compiled, err := v.name()
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO template_version (version_id, name, rule, compiled, created_at)
				VALUES ($1, $2, $3, $4, $5) ON CONFLICT (version_id) DO NOTHING`,
				v.id, v.Name, v.Rule, compiled, store.Micros(tx.Now())); err != nil {
				return err
			}
			r.current[v.Name] = v
			r.remember(v)
		}
		return nil
	})
}

func (r *Registry) remember(v *version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[v.id] = v
}

// version returns a stored version, from memory after the first time.
func (r *Registry) version(ctx context.Context, tx *store.Tx, id string) (*version, error) {
	r.mu.RLock()
	v := r.known[id]
	r.mu.RUnlock()
	if v != nil {
		return v, nil
	}
	var compiled string
	err := tx.QueryRow(ctx, "SELECT compiled FROM template_version WHERE version_id = $1", id).Scan(&compiled)
	if err != nil {
		return nil, fmt.Errorf("template version %s: %w", id, err)
	}
	if v, err = readVersion(id, compiled); err == nil {
		r.remember(v)
	}
	return v, err
}

func place(noticeID string) seal.Place {
	return seal.Place{Table: "notice", Row: noticeID, Column: "variables"}
}

// Erase removes an account's notices that were made before a time.
func Erase(ctx context.Context, tx *store.Tx, accountID string, before time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM notice WHERE account_id = $1 AND created_at < $2", accountID, store.Micros(before))
	return err
}
