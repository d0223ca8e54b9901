package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

type disputeInput struct {
	Reference string `json:"reference,omitempty" doc:"The reference of the message to the contact that stood there before, as it is typed." example:"CS-7K3M-9QXT-2V"`
	Code      string `json:"code,omitempty" doc:"The eight digits in the same message; spaces and hyphens do not matter." example:"4829 1530"`
}

type disputeJSON struct {
	Slot       string    `json:"slot" example:"phone"`
	State      string    `json:"state" enum:"open" example:"open"`
	DisputedAt time.Time `json:"disputed_at" doc:"When the change was disputed, for the first time." example:"2026-03-04T08:00:00Z"`
	ChangedAt  time.Time `json:"changed_at" doc:"When the change took effect." example:"2026-03-03T09:30:00Z"`
}

func disputeOf(d contact.Dispute) disputeJSON {
	return disputeJSON{Slot: d.Slot.String(), State: "open", DisputedAt: d.At, ChangedAt: d.ChangedAt}
}

// subject is what is kept of a dispute to answer a request again. None of it changes later.
func (d disputeJSON) subject() string {
	return fmt.Sprint(store.Micros(d.DisputedAt), " ", store.Micros(d.ChangedAt))
}

type disputeIn struct {
	SlotPath
	Body    disputeInput
	RawBody []byte
}

func (s *server) disputeChange(ctx context.Context, in *disputeIn) (*answer[disputeJSON], error) {
	slot, err := contact.ParseSlot(in.Slot)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Body.Reference == "" && in.Body.Code == "":
		return s.disputeNewest(ctx, in, slot)
	case in.Body.Reference == "":
		return nil, fault.New(fault.Invalid, "dispute-half-given").At("reference")
	case in.Body.Code == "":
		return nil, fault.New(fault.Invalid, "dispute-half-given").At("code")
	}
	return s.disputeByCode(ctx, in, slot)
}

func (s *server) disputeNewest(ctx context.Context, in *disputeIn, slot contact.Slot) (*answer[disputeJSON], error) {
	return create(ctx, s, in.RawBody, http.StatusCreated, func(tx *store.Tx) (disputeJSON, string, error) {
		d, err := s.o.Contacts.Dispute(ctx, tx, in.Account, slot, actorOf(ctx))
		made := disputeOf(d)
		return made, made.subject(), err
	}, s.disputeAsItStands(ctx, in.Account, slot))
}

// disputeByCode leaves it to the feature to count a try before it compares. A request that is done again disputes again, which changes
// nothing, or spends another try.
func (s *server) disputeByCode(ctx context.Context, in *disputeIn, slot contact.Slot) (*answer[disputeJSON], error) {
	reference, err := notice.ParseReference(in.Body.Reference)
	if err != nil {
		return nil, err
	}
	return createApart(ctx, s, in.RawBody, http.StatusCreated, func() (made disputeJSON, subject string, err error) {
		err = s.o.DB.Read(ctx, func(tx *store.Tx) error { return s.known(ctx, tx, in.Account) })
		if err != nil {
			return made, "", err
		}
		d, err := s.o.Contacts.DisputeByCodeOf(ctx, s.o.DB, in.Account, slot, string(reference), in.Body.Code, actorOf(ctx))
		made = disputeOf(d)
		return made, made.subject(), err
	}, s.disputeAsItStands(ctx, in.Account, slot))
}

// disputeAsItStands answers again, as long as there is the account.
func (s *server) disputeAsItStands(ctx context.Context, accountID string, slot contact.Slot) func(*store.Tx, kept) (disputeJSON, error) {
	return func(tx *store.Tx, k kept) (made disputeJSON, err error) {
		if err := s.known(ctx, tx, accountID); err != nil {
			return made, err
		}
		var disputed, changed int64
		_, err = fmt.Sscan(k.subject, &disputed, &changed)
		return disputeJSON{slot.String(), "open", store.Time(disputed), store.Time(changed)}, err
	}
}
