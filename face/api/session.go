package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

type portalSessionInput struct {
	Account         string     `json:"account" doc:"The account that the session is of." example:"seller-4711"`
	ReturnURL       string     `json:"return_url" doc:"Where the portal leads back to. Its origin must be on the operator's list (setting return_urls), and its path must be a listed one or below it." example:"https://www.example.com/settings"`
	Locale          string     `json:"locale,omitempty" doc:"The language to begin in, as a BCP 47 tag. Absent: the account's. What the account holder chose in the portal wins." example:"zh-CN"`
	Flow            string     `json:"flow,omitempty" doc:"The task to begin with: verify-SLOT, change-SLOT or settings. Absent: the first page." example:"verify-phone"`
	Actor           string     `json:"actor,omitempty" doc:"The platform's own id of the person who acts, of the form of an account's id. It stands in events." example:"user-12"`
	AuthenticatedAt *time.Time `json:"authenticated_at,omitempty" doc:"When the person signed in. Where it is given, contacts can be changed and removed for 15 minutes from then." example:"2026-03-03T09:28:00Z"`
	May             []string   `json:"may,omitempty" doc:"What the session may do. view: see the pages; verify: verify and put off contacts; change: change and remove them. Absent: all." example:"[\"view\",\"verify\"]"`
}

// ourTimes begin where no clock of a platform stands: a program that forgot to set a time sends year 1 or 1970.
var ourTimes = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func (in portalSessionInput) session() (auth.SessionInput, error) {
	out := auth.SessionInput{Account: in.Account, ReturnURL: in.ReturnURL, Locale: in.Locale, Flow: in.Flow, Holder: in.Actor}
	if in.AuthenticatedAt != nil {
		if out.AuthenticatedAt = *in.AuthenticatedAt; out.AuthenticatedAt.Before(ourTimes) {
			return out, fault.New(fault.Invalid, "authenticated-not-set").At("authenticated_at")
		}
	}
	if in.May != nil {
		out.May = make([]auth.Right, len(in.May))
	}
	for i, name := range in.May {
		out.May[i] = auth.Right(name)
	}
	return out, nil
}

type portalSessionJSON struct {
	URL       string    `json:"url" doc:"Where to send the browser. It works once." example:"https://contacts.example.com/start/01k2x8q4vdn5r3y6w7m9b1c2d4ntqa5d3bwx6s2vhr7kfy4jzpme"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it works." example:"2026-03-03T09:35:00Z"`
}

func (s *server) portalSessionOf(o auth.Opened) portalSessionJSON {
	return portalSessionJSON{URL: s.o.PublicURL + "/start/" + o.Token, ExpiresAt: o.ExpiresAt}
}

type openPortalSessionIn struct {
	Body    portalSessionInput
	RawBody []byte
}

func (s *server) openPortalSession(ctx context.Context, in *openPortalSessionIn) (*answer[portalSessionJSON], error) {
	do := func(tx *store.Tx) (made portalSessionJSON, id string, err error) {
		if err := s.known(ctx, tx, in.Body.Account); err != nil {
			return made, "", err
		}
		session, err := in.Body.session()
		if err != nil {
			return made, "", err
		}
		o, err := s.o.Sessions.Open(ctx, tx, session, actorOf(ctx))
		return s.portalSessionOf(o), o.ID, err
	}
	again := func(tx *store.Tx, k kept) (portalSessionJSON, error) {
		o, err := s.o.Sessions.Reopen(ctx, tx, k.subject)
		return s.portalSessionOf(o), err
	}
	return create(ctx, s, in.RawBody, http.StatusCreated, do, again)
}

// known returns the fault of an account that there is not. An id in a body may hold what a path cannot and a database refuses.
func (s *server) known(ctx context.Context, tx *store.Tx, id string) error {
	if strings.ContainsRune(id, 0) {
		return account.Unknown()
	}
	_, err := s.o.Accounts.Get(ctx, tx, id)
	return err
}

func (s *server) endPortalSessions(ctx context.Context, in *AccountPath) (*nothing, error) {
	return &nothing{}, s.o.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.known(ctx, tx, in.Account); err != nil {
			return err
		}
		_, err := s.o.Sessions.EndAll(ctx, tx, in.Account, actorOf(ctx))
		return err
	})
}
