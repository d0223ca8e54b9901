package store

import (
	"context"
	"time"
)

// Lease takes or renews the lease of that name for a while, and says whether the holder has it. At most one holder
// has it at a time over all nodes, as far as their clocks agree.
func (db *DB) Lease(ctx context.Context, name, holder string, ttl time.Duration) (held bool, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE lease.holder = excluded.holder OR lease.until <= $4`,
			name, holder, Micros(tx.Now().Add(ttl)), Micros(tx.Now()))
		held = n == 1
		return err
	})
	return held && err == nil, err
}
