package auth

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Right is something that a session of the portal may do. None includes another.
type Right string

// The rights: to see the pages, to verify and put off contacts, to change and remove them.
const (
	View   Right = "view"
	Verify Right = "verify"
	Change Right = "change"
)

var rights = []Right{View, Verify, Change}

// SessionsOptions wire Sessions. DB and Keys are required; of the times, zero stands for the default.
type SessionsOptions struct {
	DB         *store.DB
	Keys       *seal.Keyring
	ReturnURLs ReturnURLs
	Redeem     time.Duration // how long the URL can be redeemed; 5 minutes
	Idle       time.Duration // how long a session lasts without a request; 30 minutes
	Life       time.Duration // how long it lasts at all, from when it was redeemed; 8 hours
	FreshFor   time.Duration // how long after an authentication that was given the right Change holds; 15 minutes
}

// Sessions are the visits of account holders to the portal. The platform opens one for somebody who is signed in there and sends the
// browser to its URL; the browser redeems it, and from then on the session is that browser's alone.
//
// Nothing at rest makes a session one's own: the token in the URL is derived from the session's id by a keyed function, and the
// secret in the browser's cookie rests as a keyed hash that is bound to the id. The URL for the way back is sealed.
//
// It is safe for concurrent use.
type Sessions struct {
	o SessionsOptions
}

// NewSessions returns Sessions over o.
func NewSessions(o SessionsOptions) *Sessions {
	o.Redeem = cmp.Or(o.Redeem, 5*time.Minute)
	o.Idle = cmp.Or(o.Idle, 30*time.Minute)
	o.Life = cmp.Or(o.Life, 8*time.Hour)
	o.FreshFor = cmp.Or(o.FreshFor, 15*time.Minute)
	return &Sessions{o: o}
}

// Session is one visit. Locale is a BCP 47 tag, or "" when the platform gave none. Flow is the task to land on, see
// [SessionInput]. Holder is the platform's id of the person, or "". AuthenticatedAt and FreshUntil are zero when the platform did not
// say when the person signed in; SeenAt is zero until the session is redeemed, and up to a minute old. EndsAt is when it ends at the
// latest.
type Session struct {
	ID              string
	Account         string
	Locale          string
	Flow            string
	Holder          string
	ReturnURL       string
	May             []Right
	AuthenticatedAt time.Time
	FreshUntil      time.Time
	CreatedAt       time.Time
	SeenAt          time.Time
	EndsAt          time.Time
}

// Allows says why the session may not do what r names, nil when it may.
//
// Faults: Forbidden "right-missing" with the member right; "authentication-too-old" for Change, when the platform said when the person
// signed in and that was too long ago.
func (se Session) Allows(r Right, now time.Time) error {
	switch {
	case !slices.Contains(se.May, r):
		return fault.New(fault.Forbidden, "right-missing").With("right", string(r))
	case r == Change && !se.FreshUntil.IsZero() && now.After(se.FreshUntil):
		return fault.New(fault.Forbidden, "authentication-too-old", int(se.FreshUntil.Sub(se.AuthenticatedAt).Minutes()))
	}
	return nil
}

// Actor is who acts in the session, as events name it: "account:ID", or "account:ID/HOLDER" when the platform said who.
func (se Session) Actor() string {
	if se.Holder == "" {
		return "account:" + se.Account
	}
	return "account:" + se.Account + "/" + se.Holder
}

// tell appends an event about the session. Bodies hold nothing that a person wrote.
func (se Session) tell(tx *store.Tx, what, actor string, body map[string]any) {
	event.Append(tx, event.Event{Type: what, Account: se.Account, Subject: se.ID, Actor: actor, Body: body})
}

// visit is a row of portal_session. Times that have not come are nil.
type visit struct {
	Session
	secret      []byte
	redeemUntil time.Time
	redeemedAt  *time.Time
	endedAt     *time.Time
}

const (
	sessionColumns = `account_id, session_id, secret, return_url, locale, flow, holder, rights, authenticated_at, created_at, redeem_until,
		redeemed_at, seen_at, ends_at, ended_at`
	sessionQuery = "SELECT " + sessionColumns + " FROM portal_session WHERE session_id = $1"
)

// returnPlace is where a session's return_url is sealed for.
func returnPlace(id string) seal.Place {
	return seal.Place{Table: "portal_session", Row: id, Column: "return_url"}
}

// read returns a session's row, or store.ErrNoRows.
func (s *Sessions) read(ctx context.Context, tx *store.Tx, id string) (visit, error) {
	return s.scan(tx.QueryRow(ctx, sessionQuery, id))
}

func (s *Sessions) scan(row store.Row) (v visit, err error) {
	var may string
	var sealed []byte
	var created, until, ends int64
	var authenticated, redeemed, seen, ended *int64
	err = row.Scan(&v.Account, &v.ID, &v.secret, &sealed, &v.Locale, &v.Flow, &v.Holder, &may, &authenticated, &created, &until,
		&redeemed, &seen, &ends, &ended)
	if err != nil {
		return v, err
	}
	url, err := s.o.Keys.Instance().Open(returnPlace(v.ID), sealed)
	if err != nil {
		return v, err
	}
	v.ReturnURL = string(url)
	for name := range strings.FieldsSeq(may) {
		v.May = append(v.May, Right(name))
	}
	v.CreatedAt, v.EndsAt, v.redeemUntil = store.Time(created), store.Time(ends), store.Time(until)
	v.redeemedAt, v.endedAt = optional(redeemed), optional(ended)
	if seen != nil {
		v.SeenAt = store.Time(*seen)
	}
	if authenticated != nil {
		v.AuthenticatedAt = store.Time(*authenticated)
		v.FreshUntil = v.AuthenticatedAt.Add(s.o.FreshFor)
	}
	return v, nil
}

func optional(us *int64) *time.Time {
	if us == nil {
		return nil
	}
	t := store.Time(*us)
	return &t
}
