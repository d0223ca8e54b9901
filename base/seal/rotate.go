package seal

import (
	"context"
	"errors"
	"fmt"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// Rotate adds a wrapping key to the keyset file and makes it the one that wraps from now on. The older keys stay, so everything
// remains readable; RewrapBatch moves what they wrapped. The operator must back up the keys again: an older copy cannot unwrap what
// the new key wraps. A keyset given by setting is refused (fault keyset-fixed).
func (k *Keyring) Rotate(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if k.dir == "" {
		return fault.New(fault.Conflict, "keyset-fixed", settingName)
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	return k.dir.locked(func() error {
		now, err := k.readLater()
		if err != nil {
			return err
		}
		next, err := now.rotated()
		if err != nil {
			return err
		}
		if err := k.dir.write(next); err != nil {
			return err
		}
		k.keys.Store(next)
		return nil
	})
}

// RewrapBatch wraps at most limit data keys with the newest wrapping key, in one transaction, and returns how many; 0 means that none
// is left. Call it until then. It may run on any node, and on several. A data key that does not unwrap is left as it is and named in
// the error by its account; n counts the others even then.
func (k *Keyring) RewrapBatch(ctx context.Context, db *store.DB, limit int) (n int, err error) {
	// Without the file's newest state this process could wrap back to a key that another process has just rotated away.
	if err := k.reload(); err != nil {
		return 0, err
	}
	ks := k.keys.Load()
	var damaged error
	err = db.Write(ctx, func(tx *store.Tx) error {
		n, damaged = 0, nil
		if err := ks.rewrapInstance(ctx, tx); err != nil {
			return err
		}
		for _, id := range ks.ids {
			if id == ks.primary || n >= limit {
				continue
			}
			done, bad, err := ks.rewrapFrom(ctx, tx, id, limit-n)
			if err != nil {
				return err
			}
			n, damaged = n+done, errors.Join(damaged, bad)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, damaged
}

// rewrapInstance does the instance's own key, which counts as none: it is done with the first batch.
func (k *keys) rewrapInstance(ctx context.Context, tx *store.Tx) error {
	var old []byte
	if err := tx.QueryRow(ctx, `SELECT data_key FROM instance WHERE id = 1`).Scan(&old); err != nil {
		return err
	}
	if id, ok := wrappedBy(old); ok && id == k.primary {
		return nil
	}
	wrapped, err := k.rewrap(instanceOwner, old)
	if err != nil {
		return fmt.Errorf("seal: the instance's data key: %w", err)
	}
	tx.Later(`UPDATE instance SET data_key = $1 WHERE id = 1 AND data_key = $2`, wrapped, old)
	return nil
}

// wrappedKey is an account's row as far as it matters here.
type wrappedKey struct {
	account string
	dataKey []byte
}

// rewrapFrom moves accounts from one older wrapping key, so that each batch is a range of the index on (wrapped_by, account_id). The
// updates are guarded by the old bytes: an account erased and made again meanwhile keeps its new key.
func (k *keys) rewrapFrom(ctx context.Context, tx *store.Tx, from uint32, limit int) (done int, damaged, err error) {
	rows, err := wrappedKeys(ctx, tx, from, limit)
	if err != nil {
		return 0, nil, err
	}
	for _, r := range rows {
		wrapped, err := k.rewrap(accountOwner(r.account), r.dataKey)
		if err != nil {
			damaged = errors.Join(damaged, fmt.Errorf("seal: the data key of account %s: %w", r.account, err))
			continue
		}
		tx.Later(`UPDATE account SET data_key = $1, wrapped_by = $2 WHERE account_id = $3 AND wrapped_by = $4 AND data_key = $5`,
			wrapped, int64(k.primary), r.account, int64(from), r.dataKey)
		done++
	}
	return done, damaged, nil
}

func wrappedKeys(ctx context.Context, tx *store.Tx, by uint32, limit int) ([]wrappedKey, error) {
	rows, err := tx.Query(ctx, `SELECT account_id, data_key FROM account WHERE wrapped_by = $1 ORDER BY account_id LIMIT $2`,
		int64(by), int64(limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []wrappedKey
	for rows.Next() {
		var r wrappedKey
		if err := rows.Scan(&r.account, &r.dataKey); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func (k *keys) rewrap(owner string, old []byte) ([]byte, error) {
	raw, err := k.unwrap(owner, old)
	if err != nil {
		return nil, err
	}
	return k.wrap(owner, raw)
}
