package auth_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/apptest"
	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// bundle is one node on a database, on a test clock.
type bundle struct {
	*auth.Auth
	db    *store.DB
	keys  *seal.Keyring
	clock *apptest.Clock
}

func engines(t *testing.T, body func(t *testing.T, b *bundle)) {
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		body(t, &bundle{auth.New(auth.Options{DB: db, Keys: keys}), db, keys, clock})
	})
}

// otherNode is a second process on the same database.
func (b *bundle) otherNode() *bundle {
	o := *b
	o.Auth = auth.New(auth.Options{DB: b.db, Keys: b.keys})
	return &o
}

func (b *bundle) create(t *testing.T, expires *time.Time, scopes ...auth.Scope) (secret, id string) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *store.Tx) (err error) {
		secret, id, err = b.Create(t.Context(), tx, "shop backend", scopes, expires, event.CLI)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret, id
}

func (b *bundle) revoke(t *testing.T, id string) error {
	t.Helper()
	return b.db.Write(t.Context(), func(tx *store.Tx) error { return b.Revoke(t.Context(), tx, id, event.CLI) })
}

func (b *bundle) list(t *testing.T) (keys []auth.Key) {
	t.Helper()
	err := b.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		keys, err = b.List(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (b *bundle) accepts(t *testing.T, secret string) {
	t.Helper()
	if _, err := b.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("refused: %v", err)
	}
}

func (b *bundle) refuses(t *testing.T, secret, id string) {
	t.Helper()
	if _, err := b.Authenticate(t.Context(), secret); !fault.Is(err, id) || fault.From(err).Kind != fault.Unauthenticated {
		t.Errorf("got %v, want %s", err, id)
	}
}

func TestKeyIsMadeAndKnown(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		expires := start.Add(time.Hour)
		secret, id := b.create(t, &expires, auth.ContactsRead, auth.AccountsWrite, auth.ContactsRead)
		if !regexp.MustCompile(`^cs_[a-z2-7]{52}$`).MatchString(secret) {
			t.Errorf("a secret of another form, %d long", len(secret))
		}
		k, err := b.Authenticate(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		want := auth.Key{
			ID: id, Name: "shop backend", Scopes: []auth.Scope{auth.AccountsWrite, auth.ContactsRead},
			CreatedAt: start, ExpiresAt: expires,
		}
		if diff := cmp.Diff(want, k); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]auth.Key{want}, b.list(t)); diff != "" {
			t.Error(diff)
		}
		if !k.Has(auth.ContactsRead) || k.Has(auth.ContactsReveal) || k.Has(auth.AccountsRead) {
			t.Error("a key has the scopes that it was given and no others")
		}
	})
}

func TestScopeAll(t *testing.T) {
	k := auth.Key{Scopes: []auth.Scope{auth.All}}
	for _, s := range auth.Scopes() {
		if !k.Has(auth.Scope(s)) {
			t.Errorf("all does not include %s", s)
		}
	}
}

func TestNothingElseIsAccepted(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		secret, id := b.create(t, nil, auth.All)
		for name, bearer := range map[string]string{
			"empty":               "",
			"the id":              id,
			"no prefix":           strings.TrimPrefix(secret, "cs_"),
			"upper case":          strings.ToUpper(secret),
			"with a space":        secret + " ",
			"too long":            secret + "a",
			"another secret":      "cs_" + strings.Repeat("a", 52),
			"another last letter": secret[:len(secret)-1] + string('a'+(secret[len(secret)-1]-'a'+1)%2),
		} {
			t.Run(name, func(t *testing.T) { b.refuses(t, bearer, "unauthenticated") })
		}
	})
}

func TestExpiryIsExact(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		expires := start.Add(2 * time.Second)
		secret, _ := b.create(t, &expires, auth.All)
		b.accepts(t, secret)
		b.clock.Set(expires.Add(-time.Microsecond))
		b.accepts(t, secret)
		b.clock.Set(expires)
		b.refuses(t, secret, "key-expired")
	})
}

func TestRevocation(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		other := b.otherNode()
		secret, id := b.create(t, nil, auth.All)
		b.accepts(t, secret)
		other.accepts(t, secret)
		if err := b.revoke(t, id); err != nil {
			t.Fatal(err)
		}
		b.refuses(t, secret, "key-revoked")
		b.clock.Advance(auth.MaxCache)
		other.refuses(t, secret, "key-revoked")
		if got := b.list(t)[0].RevokedAt; !got.Equal(start) {
			t.Errorf("revoked at %v", got)
		}
		if err := b.revoke(t, id); err != nil {
			t.Errorf("revoking again: %v", err)
		}
		if err := b.revoke(t, "nothing"); !fault.Is(err, "unknown-key") {
			t.Errorf("got %v", err)
		}
	})
}

// A request that read the key just before it was revoked must not make this node remember it.
func TestRevocationDuringAuthentication(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		secret, id := b.create(t, nil, auth.All)
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = b.Authenticate(context.Background(), secret)
					}
				}
			})
		}
		if err := b.revoke(t, id); err != nil {
			t.Fatal(err)
		}
		b.refuses(t, secret, "key-revoked")
		close(stop)
		readers.Wait()
		b.refuses(t, secret, "key-revoked")
	})
}

func TestHotKeyCostsNoQuery(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		secret, _ := b.create(t, nil, auth.All)
		ctx, count := store.WithCount(t.Context())
		queries := func() int64 {
			if _, err := b.Authenticate(ctx, secret); err != nil {
				t.Fatal(err)
			}
			return count.Statements.Swap(0)
		}
		for _, step := range []struct {
			clock time.Time
			want  int64
		}{
			{start, 1},
			{start, 0},
			{start.Add(auth.MaxCache - time.Microsecond), 0},
			{start.Add(auth.MaxCache), 1},
			{start.Add(-time.Hour), 1}, // the clock was set back
		} {
			b.clock.Set(step.clock)
			if got := queries(); got != step.want {
				t.Errorf("at %v: %d queries, want %d", step.clock, got, step.want)
			}
		}
	})
}

func TestBadKeysAreNotMade(t *testing.T) {
	past := start
	cases := []struct {
		name    string
		label   string
		scopes  []auth.Scope
		expires *time.Time
		want    string
		field   string
	}{
		{"no name", " ", []auth.Scope{auth.All}, nil, "key-name", "name"},
		{"long name", strings.Repeat("x", 101), []auth.Scope{auth.All}, nil, "key-name", "name"},
		{"name of two lines", "a\nb", []auth.Scope{auth.All}, nil, "key-name", "name"},
		{"name that is not UTF-8", "a\xff", []auth.Scope{auth.All}, nil, "key-name", "name"},
		{"no scope", "a", nil, nil, "no-scope", "scope"},
		{"unknown scope", "a", []auth.Scope{auth.All, "accounts:erase"}, nil, "unknown-scope", "scope"},
		{"expired already", "a", []auth.Scope{auth.All}, &past, "expiry-past", "expires"},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				err := b.db.Write(t.Context(), func(tx *store.Tx) error {
					_, _, err := b.Create(t.Context(), tx, c.label, c.scopes, c.expires, event.CLI)
					return err
				})
				if f := fault.From(err); !fault.Is(err, c.want) || f.Field != c.field || f.Kind != fault.Invalid {
					t.Errorf("got %v", err)
				}
			})
		}
		if n := len(b.list(t)); n != 0 {
			t.Errorf("%d keys", n)
		}
	})
}

func TestUnknownScopeListsThoseThereAre(t *testing.T) {
	_, err := auth.ParseScopes([]string{"accounts:read", "nonsense"})
	text := fault.Text(i18n.En, err)
	for _, s := range auth.Scopes() {
		if !strings.Contains(text, s) {
			t.Errorf("%s is not in %q", s, text)
		}
		for _, l := range i18n.Locales() {
			if auth.Scope(s).Text(l) == "" {
				t.Errorf("%s has no text in %s", s, l)
			}
		}
	}
	if strings.Contains(text, "nonsense") {
		t.Errorf("the input is repeated in %q", text)
	}
}

func TestEventsAndStorage(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		secret, id := b.create(t, nil, auth.Outbox, auth.EventsRead)
		if err := b.revoke(t, id); err != nil {
			t.Fatal(err)
		}
		var events []event.Event
		var row string
		err := b.db.Read(t.Context(), func(tx *store.Tx) (err error) {
			if events, err = event.OfAccount(t.Context(), tx, "", "", 10); err != nil {
				return err
			}
			var hash []byte
			err = tx.QueryRow(t.Context(), "SELECT hash, key_id || name || scopes FROM api_key").Scan(&hash, &row)
			row += string(hash)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(row, secret) || strings.Contains(row, secret[3:]) {
			t.Error("the secret is in the database")
		}
		seen := map[string]int{}
		for _, e := range events {
			seen[e.Type]++
			want := map[string]any{"scopes": []any{"events:read", "outbox"}}
			if diff := cmp.Diff(want, e.Body); diff != "" || e.Subject != id || e.Actor != event.CLI {
				t.Errorf("%+v %s", e, diff)
			}
		}
		if diff := cmp.Diff(map[string]int{"key.created": 1, "key.revoked": 1}, seen); diff != "" {
			t.Error(diff)
		}
	})
}
