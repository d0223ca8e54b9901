package auth

import (
	"context"
	"errors"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// seenEvery is how often it is noted that a session is in use.
const seenEvery = time.Minute

// Enter returns the session that a request belongs to: the one named in its path, if the browser's cookie for it holds its secret. It
// takes one statement, and once a minute another one in a transaction of its own to note that the session is in use.
//
// Faults, all Unauthenticated: "session-unknown" when there is none, or it is another browser's; "session-ended" when it was idle too
// long, its time is over or somebody ended it. With the latter the session is returned too, for the way back and the language.
func (s *Sessions) Enter(ctx context.Context, id, secret string) (Session, error) {
	if len(id) != idLength || len(secret) < minSecret {
		return Session{}, fault.New(fault.Unauthenticated, "session-unknown")
	}
	var v visit
	err := s.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		v, err = s.read(ctx, tx, id)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return Session{}, err
	}
	if err != nil || !s.o.Keys.Equal(v.secret, s.hash(id, secret)) {
		return Session{}, fault.New(fault.Unauthenticated, "session-unknown")
	}
	now := s.o.DB.Now()
	if v.endedAt != nil || s.over(v, now) {
		return v.Session, fault.New(fault.Unauthenticated, "session-ended")
	}
	if now.Sub(v.SeenAt) < seenEvery {
		return v.Session, nil
	}
	v.SeenAt = now
	return v.Session, s.seen(ctx, id)
}

const seenQuery = "UPDATE portal_session SET seen_at = $2 WHERE session_id = $1 AND seen_at < $2 AND seen_at > $3 AND ended_at IS NULL"

// seen notes that a session is in use. It may be lost: then the session is idle a minute sooner.
func (s *Sessions) seen(ctx context.Context, id string) error {
	return s.o.DB.WriteRelaxed(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, seenQuery, id, store.Micros(tx.Now()), store.Micros(tx.Now().Add(-s.o.Idle)))
		return err
	})
}
