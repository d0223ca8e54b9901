package auth

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// SessionInput is what the platform says of a session that it opens. Locale is a BCP 47 tag or empty. Flow is empty for the first
// page, "settings", or the task in a slot: "verify-phone", "change-email-2". Holder is the platform's own id of the person, of the
// form of an account's id, or empty. AuthenticatedAt is when that person signed in, zero when it is not given. May are the session's
// rights, nil for all.
type SessionInput struct {
	Account, ReturnURL, Locale, Flow, Holder string
	AuthenticatedAt                          time.Time
	May                                      []Right
}

// Opened is a session that waits to be redeemed at /start/ and its token, until ExpiresAt.
type Opened struct {
	ID, Token string
	ExpiresAt time.Time
}

// Bounds: of a holder's id in characters, of a language tag in bytes (RFC 5646 §4.4.1 has buffers of 35), and how far the platform's
// clock may be ahead of ours.
const (
	maxHolder = 128
	maxLocale = 35
	maxSkew   = time.Minute
)

var (
	flowForm   = regexp.MustCompile(`^((verify|change)-(email|phone)(-[2-5])?|settings)?$`)
	holderForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._:~-]*)?$`)
)

// Open makes a session for an account, which the caller has found to exist.
//
// Events: session.opened with the rights and the flow.
//
// Faults, all Invalid and each at its field: "return-url-not-listed", "locale-invalid", "flow-unknown", "actor-invalid",
// "authenticated-in-future", "right-unknown".
func (s *Sessions) Open(ctx context.Context, tx *store.Tx, in SessionInput, actor string) (Opened, error) {
	in, err := s.check(in, tx.Now())
	if err != nil {
		return Opened{}, err
	}
	var authenticated any
	if !in.AuthenticatedAt.IsZero() {
		authenticated = store.Micros(in.AuthenticatedAt)
	}
	id, until := store.NewID(tx.Now()), tx.Now().Add(s.o.Redeem)
	_, err = tx.Exec(ctx, `INSERT INTO portal_session (account_id, session_id, return_url, locale, flow, holder, rights, authenticated_at,
			created_at, redeem_until, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
		in.Account, id, s.o.Keys.Instance().Seal(returnPlace(id), []byte(in.ReturnURL)), in.Locale, in.Flow, in.Holder,
		strings.Join(rightNames(in.May), " "), authenticated, store.Micros(tx.Now()), store.Micros(until))
	if err != nil {
		return Opened{}, err
	}
	Session{ID: id, Account: in.Account}.tell(tx, "session.opened", actor, map[string]any{"flow": in.Flow, "may": rightNames(in.May)})
	return Opened{ID: id, Token: s.token(id), ExpiresAt: until}, nil
}

// Reopen returns what Open returned, for whoever asks again.
//
// Faults: NotFound "unknown-portal-url"; Gone "portal-url-expired", "portal-url-used".
func (s *Sessions) Reopen(ctx context.Context, tx *store.Tx, id string) (Opened, error) {
	v, err := s.read(ctx, tx, id)
	if errors.Is(err, store.ErrNoRows) {
		err = fault.New(fault.NotFound, "unknown-portal-url")
	}
	if err == nil {
		err = v.redeemable(tx.Now())
	}
	if err != nil {
		return Opened{}, err
	}
	return Opened{ID: id, Token: s.token(id), ExpiresAt: v.redeemUntil}, nil
}

// check holds an input to the rules and returns it in the form that is stored.
func (s *Sessions) check(in SessionInput, now time.Time) (SessionInput, error) {
	if err := s.o.ReturnURLs.Allow(in.ReturnURL); err != nil {
		return in, err
	}
	if in.Locale != "" {
		tag, err := language.Parse(in.Locale)
		if err != nil || len(in.Locale) > maxLocale || tag == language.Und {
			return in, fault.New(fault.Invalid, "locale-invalid").At("locale")
		}
		in.Locale = tag.String()
	}
	switch {
	case !flowForm.MatchString(in.Flow):
		return in, fault.New(fault.Invalid, "flow-unknown").At("flow")
	case len(in.Holder) > maxHolder || !holderForm.MatchString(in.Holder):
		return in, fault.New(fault.Invalid, "actor-invalid", maxHolder).At("actor")
	case in.AuthenticatedAt.After(now.Add(maxSkew)):
		return in, fault.New(fault.Invalid, "authenticated-in-future").At("authenticated_at")
	case in.AuthenticatedAt.After(now):
		in.AuthenticatedAt = now
	}
	may, err := parseRights(in.May)
	in.May = may
	return in, err
}

// parseRights returns each right once and in the order of the list of all, which nil stands for.
func parseRights(list []Right) ([]Right, error) {
	if list == nil {
		return rights, nil
	}
	known := func(r Right) bool { return slices.Contains(rights, r) }
	if len(list) == 0 || slices.ContainsFunc(list, func(r Right) bool { return !known(r) }) {
		return nil, fault.New(fault.Invalid, "right-unknown", strings.Join(rightNames(rights), ", ")).At("may")
	}
	return slices.DeleteFunc(slices.Clone(rights), func(r Right) bool { return !slices.Contains(list, r) }), nil
}

func rightNames(list []Right) []string {
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = string(r)
	}
	return names
}
