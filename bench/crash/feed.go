package main

import (
	"context"
	"net/http"

	"countersign.dev/bench/rig"
)

// feed is what GET /v1/events told so far.
type feed struct {
	after    string
	started  map[string]int // by verification
	resent   map[string]int
	verified map[string]int
	sent     map[string]int  // messages by account, of starts and resends
	ended    map[string]int  // of these, those that came to an end
	accepted map[string]bool // deliveries
	expired  int
	refused  int
}

func newFeed() feed {
	return feed{
		after:   "0",
		started: map[string]int{}, resent: map[string]int{}, verified: map[string]int{},
		sent: map[string]int{}, ended: map[string]int{}, accepted: map[string]bool{},
	}
}

// read goes on to the end of the feed.
func (f *feed) read(ctx context.Context, c *rig.Client) error {
	for {
		var page struct {
			Events    []happened `json:"events"`
			NextAfter string     `json:"next_after"`
		}
		if err := c.Call(ctx, http.MethodGet, "/v1/events?page_size=200&after="+f.after, nil, &page); err != nil {
			return err
		}
		if len(page.Events) == 0 {
			return nil
		}
		for _, e := range page.Events {
			f.take(e)
		}
		f.after = page.NextAfter
	}
}

type happened struct {
	Type    string `json:"type"`
	Account string `json:"account"`
	Subject string `json:"subject"`
}

func (f *feed) take(e happened) {
	switch e.Type {
	case "verification.started":
		f.started[e.Subject]++
		f.sent[e.Account]++
	case "verification.resent":
		f.resent[e.Subject]++
		f.sent[e.Account]++
	case "verification.verified":
		f.verified[e.Subject]++
	case "delivery.accepted":
		f.accepted[e.Subject] = true
		f.ended[e.Account]++
	case "delivery.expired":
		f.expired++
		f.ended[e.Account]++
	case "delivery.refused":
		f.refused++
		f.ended[e.Account]++
	}
}

// empty tells whether every message came to an end.
func (f *feed) empty() bool {
	for account, sent := range f.sent {
		if f.ended[account] != sent {
			return false
		}
	}
	return true
}

// has tells whether the feed knows every verification in the books.
func (f *feed) has(books []*account) bool {
	for _, a := range books {
		for _, v := range a.verifications {
			if f.started[v.id] == 0 {
				return false
			}
		}
	}
	return true
}

// hasVerified tells whether the feed knows every proof that was answered.
func (f *feed) hasVerified(books []*account) bool {
	for _, a := range books {
		for _, v := range a.verifications {
			if v.verified > 0 && f.verified[v.id] == 0 {
				return false
			}
		}
	}
	return true
}
