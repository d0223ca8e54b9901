package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// A token is the session's id and 128 bits that are derived from it.
const (
	idLength    = 26
	tokenBytes  = 16
	tokenLength = idLength + 26
)

// minSecret is the least length of what a browser proves itself with, in characters: 128 bits in base32.
const minSecret = 26

func (s *Sessions) token(id string) string {
	return id + strings.ToLower(encoding.EncodeToString(s.o.Keys.MAC("portal-url", id)[:tokenBytes]))
}

// idOf returns the id in a token that we made. No query can be had with any other.
func (s *Sessions) idOf(token string) (id string, ok bool) {
	if len(token) != tokenLength {
		return "", false
	}
	id = token[:idLength]
	return id, s.o.Keys.Equal([]byte(token), []byte(s.token(id)))
}

// hash is what rests of a browser's secret.
func (s *Sessions) hash(id, secret string) []byte { return s.o.Keys.MAC("portal-session", id, secret) }

// redeemable says why the session's URL cannot be redeemed any more.
func (v visit) redeemable(now time.Time) error {
	switch {
	case v.redeemedAt != nil:
		return fault.New(fault.Gone, "portal-url-used")
	case v.endedAt != nil, !now.Before(v.redeemUntil):
		return fault.New(fault.Gone, "portal-url-expired")
	}
	return nil
}

// Find returns the session of a URL that can be redeemed. It changes nothing. With a fault Gone it returns the session too, for the
// way back and the language of the page that says so.
//
// Faults: NotFound "unknown-portal-url"; Gone "portal-url-expired", "portal-url-used".
func (s *Sessions) Find(ctx context.Context, tx *store.Tx, token string) (Session, error) {
	id, ok := s.idOf(token)
	if !ok {
		return Session{}, fault.New(fault.NotFound, "unknown-portal-url")
	}
	v, err := s.read(ctx, tx, id)
	if errors.Is(err, store.ErrNoRows) {
		return Session{}, fault.New(fault.NotFound, "unknown-portal-url")
	}
	if err != nil {
		return Session{}, err
	}
	return v.Session, v.redeemable(tx.Now())
}

const redeemQuery = `UPDATE portal_session SET secret = $2, redeemed_at = $3, seen_at = $3, ends_at = $4
	WHERE session_id = $1 AND redeemed_at IS NULL AND ended_at IS NULL AND redeem_until > $3 RETURNING ` + sessionColumns

// Redeem makes the session that of the browser with this secret, the value of the cookie that the page before set: 26 or more random
// characters. It works once. The same browser may do it again (a double click), which changes nothing. With a fault Gone or Conflict
// the session is returned too, as by [Sessions.Find].
//
// Events: session.redeemed; session.refused when another browser tries, at most once a minute while the session lasts.
//
// Faults: NotFound "unknown-portal-url"; Malformed "cookies-needed" (no secret); Gone "portal-url-expired"; Conflict "portal-url-used".
func (s *Sessions) Redeem(ctx context.Context, token, secret string) (Session, error) {
	id, ok := s.idOf(token)
	if !ok {
		return Session{}, fault.New(fault.NotFound, "unknown-portal-url")
	}
	if len(secret) < minSecret {
		return Session{}, fault.New(fault.Malformed, "cookies-needed")
	}
	hash := s.hash(id, secret)
	var v visit
	var refused error // returned after the commit: the event of a refusal stays
	err := s.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		refused = nil
		now := tx.Now()
		v, err = s.scan(tx.QueryRow(ctx, redeemQuery, id, hash, store.Micros(now), store.Micros(now.Add(s.o.Life))))
		switch {
		case err == nil:
			v.tell(tx, "session.redeemed", v.Actor(), nil)
		case errors.Is(err, store.ErrNoRows):
			v, refused, err = s.redeemedBefore(ctx, tx, id, hash)
		}
		return err
	})
	if err == nil {
		err = refused
	}
	return v.Session, err
}

// redeemedBefore says what becomes of a session that could not be redeemed just now.
func (s *Sessions) redeemedBefore(ctx context.Context, tx *store.Tx, id string, hash []byte) (v visit, refused, err error) {
	v, err = s.read(ctx, tx, id)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return v, fault.New(fault.NotFound, "unknown-portal-url"), nil
	case err != nil:
		return v, nil, err
	case v.redeemedAt == nil:
		return v, v.redeemable(tx.Now()), nil
	case s.o.Keys.Equal(v.secret, hash):
		return v, nil, nil
	}
	return v, fault.New(fault.Conflict, "portal-url-used"), v.refused(ctx, tx)
}

// refusedEvery is how often it is told that other browsers have a session's URL: whoever finds one must not be able to fill the feed.
const refusedEvery = time.Minute

const refusedQuery = `UPDATE portal_session SET refused_at = $2
	WHERE session_id = $1 AND ends_at > $2 AND (refused_at IS NULL OR refused_at <= $3)`

// refused tells that another browser tried, while the session lasts.
func (v visit) refused(ctx context.Context, tx *store.Tx) error {
	now := tx.Now()
	n, err := tx.Exec(ctx, refusedQuery, v.ID, store.Micros(now), store.Micros(now.Add(-refusedEvery)))
	if err == nil && n == 1 {
		v.tell(tx, "session.refused", event.System, nil)
	}
	return err
}
