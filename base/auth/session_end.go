package auth

import (
	"context"
	"time"

	"countersign.dev/base/store"
)

// keptSessions is how long a session stays known after its time was over, so that whoever comes back to it is told that it ended, and
// not that it never was.
const keptSessions = 7 * 24 * time.Hour

const endQuery = "UPDATE portal_session SET ended_at = $2 WHERE session_id = $1 AND ended_at IS NULL"

// End ends a session at its own request. Ending it again changes nothing.
//
// Events: session.ended.
func (s *Sessions) End(ctx context.Context, tx *store.Tx, se Session) error {
	n, err := tx.Exec(ctx, endQuery, se.ID, store.Micros(tx.Now()))
	if err == nil && n == 1 {
		se.tell(tx, "session.ended", se.Actor(), nil)
	}
	return err
}

const endAllQuery = "UPDATE portal_session SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL RETURNING session_id, seen_at, ends_at"

// EndAll ends every session of an account, those that nobody has redeemed yet among them, and returns how many there were. It ends
// those too that were idle for too long by this node's clock: by another's they may not have been.
//
// Events: session.ended for each that was alive.
func (s *Sessions) EndAll(ctx context.Context, tx *store.Tx, account, actor string) (int, error) {
	now := tx.Now()
	rows, err := tx.Query(ctx, endAllQuery, account, store.Micros(now))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var v visit
		var seen *int64
		var ends int64
		if err := rows.Scan(&v.ID, &seen, &ends); err != nil {
			return 0, err
		}
		v.Account, v.EndsAt = account, store.Time(ends)
		if seen != nil {
			v.SeenAt = store.Time(*seen)
		}
		if !s.over(v, now) {
			v.tell(tx, "session.ended", actor, nil)
			n++
		}
	}
	return n, rows.Err()
}

// over tells whether a session's time has run out, by itself.
func (s *Sessions) over(v visit, now time.Time) bool {
	return !now.Before(v.EndsAt) || !v.SeenAt.IsZero() && now.Sub(v.SeenAt) >= s.o.Idle
}

const sweepQuery = `DELETE FROM portal_session WHERE session_id IN (
	SELECT session_id FROM portal_session WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)`

// Sweep forgets sessions whose time was over seven days ago, at most limit, and returns how many there were.
func (s *Sessions) Sweep(ctx context.Context, limit int) (int, error) {
	var n int64
	err := s.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.Exec(ctx, sweepQuery, store.Micros(tx.Now().Add(-keptSessions)), limit)
		return err
	})
	return int(n), err
}

// EraseSessions removes an account's sessions that were opened before a time.
func EraseSessions(ctx context.Context, tx *store.Tx, account string, before time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM portal_session WHERE account_id = $1 AND created_at < $2", account, store.Micros(before))
	return err
}
