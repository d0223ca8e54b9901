package event_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/store"
)

func appendOne(t *testing.T, db *store.DB, types ...string) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		for _, name := range types {
			event.Append(tx, event.Event{
				Type: name, Account: "seller-1", Subject: "email", Actor: event.System,
				Body: map[string]any{"slot": "email"},
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func feed(t *testing.T, db *store.DB, after int64) (events []event.Event) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		events, err = event.After(t.Context(), tx, after, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func drain(t *testing.T, d *event.Dispatcher) {
	t.Helper()
	if err := d.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestEventsOfOneTransactionGoOutInOneStatement(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		ctx, count := store.WithCount(t.Context())
		err := db.Write(ctx, func(tx *store.Tx) error {
			for range 3 {
				event.Append(tx, event.Event{Type: "contact.set", Account: "seller-1", Subject: "email", Actor: event.CLI})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count.Statements.Load(); n != 1 {
			t.Errorf("%d statements, want 1", n)
		}
	})
}

func TestRolledBackEventsDoNotExist(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		failure := errors.New("no")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			event.Append(tx, event.Event{Type: "contact.set", Account: "seller-1"})
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatalf("got %v", err)
		}
		drain(t, event.NewDispatcher(event.Options{DB: db, Holder: "a"}))
		if events := feed(t, db, 0); len(events) != 0 {
			t.Errorf("%d events after a rollback", len(events))
		}
	})
}

// A reader that always asks for what comes after the last number it saw must see every event once, however
// transactions overlap.
func TestTheFeedNeverSkips(t *testing.T) {
	const writers, each = 8, 25
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		stop := make(chan struct{})
		var sequencers, running sync.WaitGroup
		var nodes [2]*event.Dispatcher // one of them has the lease
		for n := range nodes {
			d := event.NewDispatcher(event.Options{DB: db, Holder: fmt.Sprint("node-", n)})
			nodes[n] = d
			sequencers.Go(func() {
				for {
					if err := d.Drain(context.WithoutCancel(t.Context())); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		for w := range writers {
			running.Go(func() {
				for i := range each {
					err := db.Write(t.Context(), func(tx *store.Tx) error {
						event.Append(tx, event.Event{Type: "t", Account: fmt.Sprint("seller-", w), Subject: fmt.Sprint(i)})
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := map[string]int{}
		cursor := int64(0)
		read := func() {
			for _, e := range feed(t, db, cursor) {
				seen[e.Account+"/"+e.Subject]++
				cursor = e.Seq
			}
		}
		finished := make(chan struct{})
		go func() { running.Wait(); close(finished) }()
		for open := true; open; {
			read()
			select {
			case <-finished:
				open = false
			default:
			}
		}
		close(stop)
		sequencers.Wait()
		for _, d := range nodes { // what was committed since the last pass
			drain(t, d)
		}
		read()
		if len(seen) != writers*each {
			t.Errorf("the reader saw %d events, want %d", len(seen), writers*each)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("event %s was seen %d times", id, n)
			}
		}
	})
}

func TestListenersGetTheirTypesOnce(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		var got []string
		d := event.NewDispatcher(event.Options{DB: db, Holder: "a", Listeners: []event.Listener{{
			Name: "test", Types: []string{"a", "b"},
			Handle: func(_ context.Context, _ *store.Tx, e event.Event) error {
				got = append(got, e.Type+"/"+e.Body["slot"].(string))
				return nil
			},
		}}})
		appendOne(t, db, "a", "c", "b")
		drain(t, d)
		drain(t, d)
		slices.Sort(got)
		if want := []string{"a/email", "b/email"}; !slices.Equal(got, want) {
			t.Errorf("handed %v, want %v", got, want)
		}
	})
}

func TestAFailedListenerIsAskedAgainAndHoldsUpNobody(t *testing.T) {
	clock := apptest.NewClock(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		attempts, handled := 0, 0
		d := event.NewDispatcher(event.Options{DB: db, Holder: "a", Listeners: []event.Listener{{
			Name: "test", Types: []string{"stuck", "fine"},
			Handle: func(_ context.Context, _ *store.Tx, e event.Event) error {
				if e.Type == "fine" {
					handled++
					return nil
				}
				if attempts++; attempts < 3 {
					return event.ErrLater
				}
				return nil
			},
		}}})
		appendOne(t, db, "stuck", "fine")
		drain(t, d)
		if attempts != 1 || handled != 1 {
			t.Fatalf("after the first pass: %d attempts, %d handled; want 1 and 1", attempts, handled)
		}
		drain(t, d)
		if attempts != 1 {
			t.Errorf("asked again without a pause")
		}
		for range 5 {
			clock.Advance(3 * time.Second)
			drain(t, d)
		}
		if attempts != 3 || handled != 1 {
			t.Errorf("%d attempts, %d handled; want 3 and 1", attempts, handled)
		}
	})
}

// What a listener wrote before it failed must not stay.
func TestAListenersWorkIsAllOrNothing(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := event.NewDispatcher(event.Options{DB: db, Holder: "a", Listeners: []event.Listener{{
			Name: "test", Types: []string{"a"},
			Handle: func(_ context.Context, tx *store.Tx, _ event.Event) error {
				event.Append(tx, event.Event{Type: "follow-up", Account: "seller-1"})
				return event.ErrLater
			},
		}}})
		appendOne(t, db, "a")
		drain(t, d)
		drain(t, d)
		for _, e := range feed(t, db, 0) {
			if e.Type == "follow-up" {
				t.Error("the listener failed, and its event is there")
			}
		}
	})
}

func TestTheFeedAndTheQueueAreReadByIndex(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		for query, args := range map[string][]any{
			"SELECT event_id FROM event WHERE seq > $1 ORDER BY seq LIMIT $2":                                    {int64(5), 10},
			"SELECT event_id FROM event WHERE unhandled AND seq > $1 ORDER BY seq LIMIT $2":                      {int64(5), 10},
			"SELECT event_id FROM event WHERE seq IS NULL ORDER BY event_id LIMIT $1":                            {10},
			"SELECT seq FROM event WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1":                              nil,
			"SELECT event_id FROM event WHERE account_id = $1 AND event_id < $2 ORDER BY event_id DESC LIMIT $3": {"a", "~", 10},
		} {
			plan, err := db.Explain(t.Context(), query, args...)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN event\n") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("no index serves %q:\n%s", query, plan)
			}
		}
	})
}

// A process that stops leaves no pause behind in which nobody hands events out.
func TestAStoppedDispatcherLetsGoAtOnce(t *testing.T) {
	clock := apptest.NewClock(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		first := event.NewDispatcher(event.Options{DB: db, Holder: "first"})
		drain(t, first)
		stopped, stop := context.WithCancel(t.Context())
		stop()
		first.Run(stopped)
		appendOne(t, db, "a")
		drain(t, event.NewDispatcher(event.Options{DB: db, Holder: "second"}))
		if n := len(feed(t, db, 0)); n != 1 {
			t.Errorf("%d events in the feed, want 1", n)
		}
	})
}
