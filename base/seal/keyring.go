package seal

import (
	"bytes"
	"sync"
	"sync/atomic"

	"countersign.dev/base/fault"
)

// Keyring is a keyset attached to its database. It is safe for concurrent use.
type Keyring struct {
	dir      folder // "" when the keyset was given by setting
	instance DataKey

	// keys is swapped whole, for a later state of the same keyset only; changing is held from reading the file to the swap.
	keys     atomic.Pointer[keys]
	changing sync.Mutex
}

// NewDataKey makes the data key of a new account. The account's row keeps wrapped and wrappedBy, the id of the wrapping key.
func (k *Keyring) NewDataKey(accountID string) (d DataKey, wrapped []byte, wrappedBy int64, err error) {
	raw := randomKey()
	if d, err = newDataKey(raw); err != nil {
		return DataKey{}, nil, 0, err
	}
	ks := k.keys.Load()
	if wrapped, err = ks.wrap(accountOwner(accountID), raw); err != nil {
		return DataKey{}, nil, 0, err
	}
	return d, wrapped, int64(ks.primary), nil
}

// Unwrap returns the data key of an account from its row. The error is [ErrOpen] when wrapped was changed or is another account's,
// and the fault keyset-outdated when its wrapping key is not in the keyset.
func (k *Keyring) Unwrap(accountID string, wrapped []byte) (DataKey, error) {
	raw, err := k.unwrap(accountOwner(accountID), wrapped)
	if err != nil {
		return DataKey{}, err
	}
	return newDataKey(raw)
}

// Instance returns the data key for what belongs to no account.
func (k *Keyring) Instance() DataKey { return k.instance }

// unwrap looks into the file once when it meets a wrapping key it does not know: another process may have rotated.
func (k *Keyring) unwrap(owner string, wrapped []byte) ([]byte, error) {
	id, ok := wrappedBy(wrapped)
	if !ok {
		return nil, ErrOpen
	}
	ks := k.keys.Load()
	if !ks.has(id) {
		if err := k.reload(); err != nil {
			return nil, err
		}
		if ks = k.keys.Load(); !ks.has(id) {
			return nil, k.outdated()
		}
	}
	return ks.unwrap(owner, wrapped)
}

// reload takes over what is in the file now. A keyset given by setting is what it is until the next start.
func (k *Keyring) reload() error {
	if k.dir == "" {
		return nil
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	ks, err := k.readLater()
	if err != nil {
		return err
	}
	k.keys.Store(ks)
	return nil
}

// readLater reads the file, whose keyset must be a later state of the one in use: made for the same database, and with every wrapping
// key that may have wrapped something. The caller holds changing.
func (k *Keyring) readLater() (*keys, error) {
	ks, err := k.dir.read()
	if err != nil {
		return nil, err
	}
	now := k.keys.Load()
	if !bytes.Equal(ks.fingerprint, now.fingerprint) {
		return nil, fault.New(fault.Internal, "keyset-wrong", k.dir.source())
	}
	for _, id := range now.ids {
		if !ks.has(id) {
			return nil, k.outdated()
		}
	}
	return ks, nil
}

func (k *Keyring) outdated() error {
	return fault.New(fault.Internal, "keyset-outdated", k.dir.source())
}
