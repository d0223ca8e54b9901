package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// MaxCache is how long another node's revocation may take to be heard of.
const MaxCache = 5 * time.Second

// Options wire Auth. DB and Keys are required.
type Options struct {
	DB   *store.DB
	Keys *seal.Keyring
	// Cache is how long a key that was found good is remembered: MaxCache when it is 0 or more than that, not at all when negative.
	Cache time.Duration
}

// Auth makes, ends and checks keys. It is safe for concurrent use.
type Auth struct {
	db    *store.DB
	keys  *seal.Keyring
	known *memory
}

// New returns Auth over o.
func New(o Options) *Auth {
	if o.Cache == 0 || o.Cache > MaxCache {
		o.Cache = MaxCache
	}
	return &Auth{db: o.DB, keys: o.Keys, known: newMemory(o.Cache)}
}

// Authenticate returns the key whose secret came as a bearer token (RFC 6750 §2.1, without the word Bearer).
//
// Faults: Unauthenticated "unauthenticated", "key-expired", "key-revoked".
func (a *Auth) Authenticate(ctx context.Context, bearer string) (Key, error) {
	if len(bearer) != secretLength || !strings.HasPrefix(bearer, prefix) {
		return Key{}, fault.New(fault.Unauthenticated, "unauthenticated")
	}
	hash := [32]byte(a.hash(bearer))
	now := a.db.Now()
	k, found, era := a.known.find(hash, now)
	if !found {
		var err error
		if k, err = a.read(ctx, hash); err != nil {
			return Key{}, err
		}
	}
	if err := k.usable(now); err != nil {
		return Key{}, err
	}
	if !found {
		a.known.keep(hash, k, now, era)
	}
	return k, nil
}

// read finds a key by its hash. The look-up itself is the comparison: whoever could time it learns about a keyed hash, and nothing
// about the secret.
func (a *Auth) read(ctx context.Context, hash [32]byte) (k Key, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) (err error) {
		k, err = scanKey(tx.QueryRow(ctx, "SELECT "+columns+" FROM api_key WHERE hash = $1", hash[:]))
		return err
	})
	if errors.Is(err, store.ErrNoRows) {
		err = fault.New(fault.Unauthenticated, "unauthenticated")
	}
	return k, err
}

func (a *Auth) hash(secret string) []byte { return a.keys.MAC("api-key", secret) }
