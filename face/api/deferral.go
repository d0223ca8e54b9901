package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
)

type deferralInput struct {
	Until  time.Time `json:"until" doc:"When reminders begin again." example:"2026-03-17T09:00:00Z"`
	Reason string    `json:"reason" doc:"Why, in the account's own words; at most 500 characters." example:"waiting for the new SIM card"`
}

type deferralJSON struct {
	ID        string    `json:"id" example:"01k2x8q4vdn5r3y6w7m9b1c2d4"`
	Slot      string    `json:"slot" example:"phone"`
	Until     time.Time `json:"until" example:"2026-03-17T09:00:00Z"`
	DaysLeft  int       `json:"days_left" doc:"What the budget had left afterwards, in whole days." example:"9"`
	TimesLeft int       `json:"times_left" doc:"What the budget had left afterwards, in deferrals." example:"2"`
}

type deferContactIn struct {
	SlotPath
	Body    deferralInput
	RawBody []byte
}

func (s *server) deferContact(ctx context.Context, in *deferContactIn) (*answer[deferralJSON], error) {
	slot, err := contact.ParseSlot(in.Slot)
	if err != nil {
		return nil, err
	}
	do := func(tx *store.Tx) (made deferralJSON, subject string, err error) {
		d, err := s.o.Contacts.Defer(ctx, tx, in.Account, slot, in.Body.Until, in.Body.Reason, actorOf(ctx))
		made = deferralJSON{ID: d.ID, Slot: slot.String(), Until: d.Until, DaysLeft: d.DaysLeft, TimesLeft: d.TimesLeft}
		return made, fmt.Sprint(d.ID, " ", d.DaysLeft, " ", d.TimesLeft), err
	}
	// A deferral never changes: the date stands in the request, which is the same one.
	again := func(tx *store.Tx, k kept) (made deferralJSON, err error) {
		if _, err := s.o.Accounts.Get(ctx, tx, in.Account); err != nil {
			return made, err
		}
		made = deferralJSON{Slot: slot.String(), Until: in.Body.Until.UTC().Truncate(time.Microsecond)}
		_, err = fmt.Sscan(k.subject, &made.ID, &made.DaysLeft, &made.TimesLeft)
		return made, err
	}
	return create(ctx, s, in.RawBody, http.StatusCreated, do, again)
}
