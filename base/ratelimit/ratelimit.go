// Package ratelimit counts uses in windows that are kept in the database, so that every node shares them.
//
// A window begins with the first use and ends after its length; the use that would pass the limit is refused.
// Taking is one statement for any number of limits, however many callers come at once: never more than Max uses
// of a key are committed in one window. It promises nothing about uses that straddle two windows.
//
// The package leans on base/store alone. Keys are keyed hashes made by the caller: no address stands in a row.
package ratelimit

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign.dev/base/store"
)

// Limit is at most Max uses (≥ 1) of Key in one Window.
type Limit struct {
	Key    []byte
	Max    int
	Window time.Duration
}

// Take uses each limit once. It returns 0 when all were granted. Otherwise it returns how long until the last
// of the refusing windows ends, and the caller must let its transaction fail, since the others were counted.
func Take(ctx context.Context, tx *store.Tx, limits ...Limit) (wait time.Duration, err error) {
	limits = slices.Clone(limits)
	// One order for all callers, so that two of them cannot wait for each other.
	slices.SortFunc(limits, func(a, b Limit) int { return bytes.Compare(a.Key, b.Key) })
	now := store.Micros(tx.Now())
	args := []any{now}
	values := make([]string, len(limits))
	for i, l := range limits {
		n := len(args)
		values[i] = "($" + strconv.Itoa(n+1) + ", 1, $" + strconv.Itoa(n+2) + ", $" + strconv.Itoa(n+3) + ")"
		args = append(args, l.Key, l.Max, now+l.Window.Microseconds())
	}
	rows, err := tx.Query(ctx, `INSERT INTO rate_window (key, used, max_uses, ends_at) VALUES `+strings.Join(values, ", ")+`
		ON CONFLICT (key) DO UPDATE SET
			used = CASE WHEN rate_window.ends_at <= $1 THEN 1 ELSE rate_window.used + 1 END,
			ends_at = CASE WHEN rate_window.ends_at <= $1 THEN excluded.ends_at ELSE rate_window.ends_at END,
			max_uses = excluded.max_uses
		WHERE rate_window.ends_at <= $1 OR rate_window.used < excluded.max_uses
		RETURNING key`, args...)
	if err != nil {
		return 0, err
	}
	granted, err := keys(rows)
	if err != nil || len(granted) == len(limits) {
		return 0, err
	}
	return refusedUntil(ctx, tx, limits, granted)
}

func keys(rows *store.Rows) ([][]byte, error) {
	defer rows.Close()
	var all [][]byte
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		all = append(all, key)
	}
	return all, rows.Err()
}

func refusedUntil(ctx context.Context, tx *store.Tx, limits []Limit, granted [][]byte) (time.Duration, error) {
	var wait time.Duration
	for _, l := range limits {
		if slices.ContainsFunc(granted, func(k []byte) bool { return bytes.Equal(k, l.Key) }) {
			continue
		}
		var ends int64
		if err := tx.QueryRow(ctx, "SELECT ends_at FROM rate_window WHERE key = $1", l.Key).Scan(&ends); err != nil {
			return 0, err
		}
		wait = max(wait, store.Time(ends).Sub(tx.Now()))
	}
	return wait, nil
}

// Sweep removes windows that have ended, at most limit of them, and returns how many it removed.
func Sweep(ctx context.Context, db *store.DB, limit int) (removed int64, err error) {
	err = db.Write(ctx, func(tx *store.Tx) (err error) {
		removed, err = tx.Exec(ctx, `DELETE FROM rate_window WHERE key IN (
			SELECT key FROM rate_window WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)`, store.Micros(tx.Now()), limit)
		return err
	})
	return removed, err
}
