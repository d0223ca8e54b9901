package auth

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// Key is an API key without its secret. Name is what staff call it. ExpiresAt and RevokedAt are zero when it does not expire and was
// not revoked.
type Key struct {
	ID        string
	Name      string
	Scopes    []Scope
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time
}

// Has tells whether the key may do what s names.
func (k Key) Has(s Scope) bool {
	return slices.Contains(k.Scopes, s) || slices.Contains(k.Scopes, All)
}

// ScopeNames are the key's scopes as texts.
func (k Key) ScopeNames() []string { return namesOf(k.Scopes) }

// Actor is the key as events name it.
func (k Key) Actor() string { return "key:" + k.ID }

// usable returns the fault of a key that may no longer be used at the time now.
func (k Key) usable(now time.Time) error {
	switch {
	case !k.RevokedAt.IsZero():
		return fault.New(fault.Unauthenticated, "key-revoked")
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return fault.New(fault.Unauthenticated, "key-expired")
	}
	return nil
}

// A secret is prefix and 256 random bits in base32. The prefix is there for the scanners that look for secrets where none belong.
const prefix = "cs_"

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

var secretLength = len(prefix) + encoding.EncodedLen(32)

func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + strings.ToLower(encoding.EncodeToString(b[:]))
}

// maxName is in characters.
const maxName = 100

// Create makes a key and returns its secret, which cannot be had again. It works from the commit on.
//
// Events: key.created with the scopes.
//
// Faults: Invalid "key-name", field "name"; "no-scope", "unknown-scope", field "scope"; "expiry-past", field "expires".
func (a *Auth) Create(ctx context.Context, tx *store.Tx, name string, scopes []Scope, expires *time.Time, actor string) (
	secret, id string, err error,
) {
	if name, err = parseName(name); err != nil {
		return "", "", err
	}
	if scopes, err = ParseScopes(namesOf(scopes)); err != nil {
		return "", "", err
	}
	var expiry any
	if expires != nil {
		if !expires.After(tx.Now()) {
			return "", "", fault.New(fault.Invalid, "expiry-past").At("expires")
		}
		expiry = store.Micros(*expires)
	}
	secret, id = newSecret(), store.NewID(tx.Now())
	_, err = tx.Exec(ctx, "INSERT INTO api_key (key_id, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
		id, name, a.hash(secret), strings.Join(namesOf(scopes), " "), store.Micros(tx.Now()), expiry)
	if err != nil {
		return "", "", err
	}
	tell(tx, "key.created", id, scopes, actor)
	return secret, id, nil
}

// parseName takes what fits a line of a list.
func parseName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n == 0 || n > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return "", fault.New(fault.Invalid, "key-name", maxName).At("name")
	}
	return s, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// tell appends an event. The name is left out: a person wrote it.
func tell(tx *store.Tx, what, id string, scopes []Scope, actor string) {
	event.Append(tx, event.Event{Type: what, Subject: id, Actor: actor, Body: map[string]any{"scopes": namesOf(scopes)}})
}

// Revoke ends a key for good. Revoking it again changes nothing.
//
// Events: key.revoked with the scopes. Faults: NotFound "unknown-key".
func (a *Auth) Revoke(ctx context.Context, tx *store.Tx, id, actor string) error {
	k, err := scanKey(tx.QueryRow(ctx, "SELECT "+columns+" FROM api_key WHERE key_id = $1", id))
	if errors.Is(err, store.ErrNoRows) {
		return fault.New(fault.NotFound, "unknown-key")
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "UPDATE api_key SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL", id, store.Micros(tx.Now()))
	if err != nil || n == 0 {
		return err
	}
	tell(tx, "key.revoked", id, k.Scopes, actor)
	tx.AfterCommit(a.known.clear)
	return nil
}

// List returns all keys, the oldest first, those that no longer work among them.
func (a *Auth) List(ctx context.Context, tx *store.Tx) ([]Key, error) {
	rows, err := tx.Query(ctx, "SELECT "+columns+" FROM api_key ORDER BY created_at, key_id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

const columns = "key_id, name, scopes, created_at, expires_at, revoked_at"

func scanKey(row interface{ Scan(dest ...any) error }) (k Key, err error) {
	var scopes string
	var created int64
	var expires, revoked *int64
	if err := row.Scan(&k.ID, &k.Name, &scopes, &created, &expires, &revoked); err != nil {
		return k, err
	}
	for s := range strings.FieldsSeq(scopes) {
		k.Scopes = append(k.Scopes, Scope(s))
	}
	k.CreatedAt = store.Time(created)
	if expires != nil {
		k.ExpiresAt = store.Time(*expires)
	}
	if revoked != nil {
		k.RevokedAt = store.Time(*revoked)
	}
	return k, nil
}
