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

const endAllQuery = `UPDATE portal_session SET ended_at = $2
	WHERE account_id = $1 AND ended_at IS NULL AND ends_at > $2 AND (seen_at IS NULL OR seen_at > $3) RETURNING session_id`

// EndAll ends every session of an account, those that nobody has redeemed yet among them, and returns how many there were.
//
// Events: session.ended for each.
func (s *Sessions) EndAll(ctx context.Context, tx *store.Tx, account, actor string) (int, error) {
	now := tx.Now()
	rows, err := tx.Query(ctx, endAllQuery, account, store.Micros(now), store.Micros(now.Add(-s.o.Idle)))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		se := Session{Account: account}
		if err := rows.Scan(&se.ID); err != nil {
			return 0, err
		}
		se.tell(tx, "session.ended", actor, nil)
	}
	return n, rows.Err()
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

// EraseSessions removes every session of an account; it is for account.Options.
func EraseSessions(ctx context.Context, tx *store.Tx, account string) error {
	_, err := tx.Exec(ctx, "DELETE FROM portal_session WHERE account_id = $1", account)
	return err
}
