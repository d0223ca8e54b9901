package api

import (
	"context"
	"net/http"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// AccountPath is the account in a path. Like the other parts of inputs it is exported for huma, which fills no other ones.
type AccountPath struct {
	Account string `path:"account" doc:"The platform's own id of the account: letters, digits and . _ : ~ - (no @), at most 128 characters." example:"seller-4711"`
}

type accountInput struct {
	Name     string  `json:"name,omitempty" doc:"How the account holder is addressed; at most 200 characters." example:"Li Mei"`
	Locale   string  `json:"locale,omitempty" doc:"The language of messages, as a BCP 47 tag. Empty: English." example:"zh-CN"`
	TimeZone string  `json:"time_zone,omitempty" doc:"The zone that times are shown in, by its IANA name. Empty: UTC." example:"Asia/Shanghai"`
	Country  string  `json:"country,omitempty" doc:"The country that phone numbers without + are read in, by ISO 3166-1 alpha-2." example:"CN"`
	Mailbox  *string `json:"mailbox,omitempty" nullable:"true" doc:"The registered e-mail address, where the platform's mail goes. It is no emergency contact." example:"shop@example.com"`
}

type accountJSON struct {
	ID        string    `json:"id" doc:"The platform's own id." example:"seller-4711"`
	Name      string    `json:"name" example:"Li Mei"`
	Locale    string    `json:"locale" doc:"The language in effect: the account holder's choice, or the platform's." example:"zh-CN"`
	TimeZone  string    `json:"time_zone" doc:"The zone in effect: the account holder's choice, or the platform's." example:"Asia/Shanghai"`
	Country   string    `json:"country" example:"CN"`
	Mailbox   string    `json:"mailbox,omitempty" example:"shop@example.com"`
	CreatedAt time.Time `json:"created_at" example:"2026-03-03T09:30:00Z"`
	ChangedAt time.Time `json:"changed_at" doc:"Of the last change of the account or its contacts." example:"2026-03-03T09:30:00Z"`
}

func accountOf(a account.Account) accountJSON {
	return accountJSON{
		ID: a.ID, Name: a.Name, Locale: a.Locale, TimeZone: a.TimeZone, Country: a.Country, Mailbox: a.Mailbox.String(),
		CreatedAt: a.CreatedAt, ChangedAt: a.ChangedAt,
	}
}

type accountOut struct {
	Status int
	Body   accountJSON
}

type putAccountIn struct {
	AccountPath
	Body accountInput
}

func (s *server) putAccount(ctx context.Context, in *putAccountIn) (*accountOut, error) {
	b := in.Body
	put := account.Input{ID: in.Account, Name: b.Name, Locale: b.Locale, TimeZone: b.TimeZone, Country: b.Country, Mailbox: b.Mailbox}
	var acc account.Account
	var created bool
	err := s.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		acc, created, err = s.o.Accounts.Put(ctx, tx, put, actorOf(ctx))
		return err
	})
	out := &accountOut{Status: http.StatusOK, Body: accountOf(acc)}
	if created {
		out.Status = http.StatusCreated
	}
	return out, err
}

func (s *server) getAccount(ctx context.Context, in *AccountPath) (*accountOut, error) {
	var acc account.Account
	err := s.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		acc, err = s.o.Accounts.Get(ctx, tx, in.Account)
		return err
	})
	return &accountOut{Status: http.StatusOK, Body: accountOf(acc)}, err
}

// nothing is the answer of what leaves nothing to show.
type nothing struct{}

func (s *server) eraseAccount(ctx context.Context, in *AccountPath) (*nothing, error) {
	err := s.o.DB.Write(ctx, func(tx *store.Tx) error { return s.o.Accounts.Erase(ctx, tx, in.Account, actorOf(ctx)) })
	return &nothing{}, err
}

type listAccountsIn struct {
	SlotState    string    `query:"slot_state" doc:"Only accounts whose contact in a slot has a state: SLOT:STATE, the states being unverified, verified and needs_update." example:"phone:unverified"`
	ChangedSince time.Time `query:"changed_since" doc:"Only accounts that changed at this time or later." example:"2026-03-03T09:30:00Z"`
	PageQuery
}

type listAccountsOut struct {
	Body struct {
		Accounts      []accountJSON `json:"accounts"`
		NextPageToken string        `json:"next_page_token,omitempty" doc:"Where the next page begins; absent on the last." example:"0tzZ1wG3"`
	} `nameHint:"AccountPage"`
}

func (s *server) listAccounts(ctx context.Context, in *listAccountsIn) (*listAccountsOut, error) {
	query := []string{"accounts", in.SlotState, in.ChangedSince.UTC().Format(time.RFC3339Nano)}
	after, err := s.openToken(in.PageToken, query)
	if err != nil {
		return nil, err
	}
	list, err := s.accountLister(in, after)
	if err != nil {
		return nil, err
	}
	var page []account.Account
	var next string
	err = s.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		page, next, err = list(ctx, tx)
		return err
	})
	out := &listAccountsOut{}
	out.Body.Accounts = make([]accountJSON, 0, len(page))
	for _, acc := range page {
		out.Body.Accounts = append(out.Body.Accounts, accountOf(acc))
	}
	out.Body.NextPageToken = s.sealToken(next, query)
	return out, err
}

// accountLister chooses the feature that knows the filter.
func (s *server) accountLister(in *listAccountsIn, after string) (
	func(ctx context.Context, tx *store.Tx) ([]account.Account, string, error), error,
) {
	if in.SlotState == "" {
		f := account.Filter{ChangedSince: in.ChangedSince, After: after, Limit: in.PageSize}
		return func(ctx context.Context, tx *store.Tx) ([]account.Account, string, error) {
			return s.o.Accounts.List(ctx, tx, f)
		}, nil
	}
	slot, state, err := contact.ParseSlotState(in.SlotState)
	f := contact.Filter{Slot: slot, State: state, ChangedSince: in.ChangedSince, After: after, Limit: in.PageSize}
	return func(ctx context.Context, tx *store.Tx) ([]account.Account, string, error) {
		return s.o.Contacts.ListAccounts(ctx, tx, f)
	}, err
}
