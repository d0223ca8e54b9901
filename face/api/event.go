package api

import (
	"context"
	"strconv"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

type listEventsIn struct {
	After    string `query:"after" doc:"next_after of the answer before. Absent: from the beginning." example:"1042"`
	PageSize int    `query:"page_size" minimum:"1" maximum:"200" default:"50" doc:"The most events to answer with." example:"50"`
}

type eventJSON struct {
	ID      string         `json:"id" example:"01k2x8q4vdn5r3y6w7m9b1c2d4"`
	Seq     int64          `json:"seq" doc:"Its number in the feed." example:"1043"`
	Type    string         `json:"type" example:"contact.verified"`
	Account string         `json:"account,omitempty" doc:"The account that it concerns, if any." example:"seller-4711"`
	Subject string         `json:"subject" doc:"The id of what it happened to." example:"phone"`
	Actor   string         `json:"actor" doc:"Who did it: key:ID, account:ID (with /ID of the person, where the platform said who), system or cli." example:"key:01k2x8q4vdn5r3y6w7m9b1c2d4"`
	At      time.Time      `json:"at" example:"2026-03-03T09:30:00Z"`
	Body    map[string]any `json:"body" doc:"More about it, by type. Nothing personal is in it." example:"{\"slot\":\"phone\"}"`
}

type listEventsOut struct {
	Body struct {
		Events    []eventJSON `json:"events"`
		NextAfter string      `json:"next_after" doc:"Give it as after, to go on from here." example:"1043"`
	} `nameHint:"EventPage"`
}

func (s *server) listEvents(ctx context.Context, in *listEventsIn) (*listEventsOut, error) {
	after, err := parseAfter(in.After)
	if err != nil {
		return nil, err
	}
	var events []event.Event
	err = s.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		events, err = event.After(ctx, tx, after, in.PageSize)
		return err
	})
	out := &listEventsOut{}
	out.Body.Events = make([]eventJSON, 0, len(events))
	for _, e := range events {
		after = e.Seq
		out.Body.Events = append(out.Body.Events, eventJSON{
			ID: e.ID, Seq: e.Seq, Type: e.Type, Account: e.Account, Subject: e.Subject, Actor: e.Actor, At: e.At, Body: e.Body,
		})
	}
	out.Body.NextAfter = strconv.FormatInt(after, 10)
	return out, err
}

func parseAfter(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	after, err := strconv.ParseInt(s, 10, 64)
	if err != nil || after < 0 {
		return 0, fault.New(fault.Malformed, "after-invalid").At("after")
	}
	return after, nil
}
