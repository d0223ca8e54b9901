package ratelimit_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/ratelimit"
	"countersign.dev/base/store"
)

var errRefused = errors.New("refused")

// take uses limits in a transaction of its own, as callers do: one that is refused rolls back.
func take(t *testing.T, db *store.DB, limits ...ratelimit.Limit) (wait time.Duration) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) (err error) {
		if wait, err = ratelimit.Take(t.Context(), tx, limits...); err == nil && wait > 0 {
			err = errRefused
		}
		return err
	})
	if err != nil && !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	return wait
}

func TestALimitRefusesUntilItsWindowEnds(t *testing.T) {
	clock := apptest.NewClock(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		limit := ratelimit.Limit{Key: []byte("slot"), Max: 2, Window: time.Hour}
		for range 2 {
			if wait := take(t, db, limit); wait != 0 {
				t.Fatalf("refused for %v before the limit was reached", wait)
			}
		}
		clock.Advance(20 * time.Minute)
		if wait := take(t, db, limit); wait != 40*time.Minute {
			t.Errorf("refused for %v, want 40m, what is left of the window", wait)
		}
		clock.Advance(40 * time.Minute)
		if wait := take(t, db, limit); wait != 0 {
			t.Errorf("still refused for %v in a new window", wait)
		}
	})
}

func TestARefusalByOneLimitUsesNone(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		roomy := ratelimit.Limit{Key: []byte("roomy"), Max: 2, Window: time.Hour}
		tight := ratelimit.Limit{Key: []byte("tight"), Max: 1, Window: time.Hour}
		take(t, db, roomy, tight)
		for range 3 {
			if take(t, db, tight, roomy) == 0 {
				t.Fatal("the tight limit granted a second use")
			}
		}
		if wait := take(t, db, roomy); wait != 0 {
			t.Errorf("refusals used up the roomy limit: %v", wait)
		}
	})
}

func TestManyAtOnceGetExactlyTheLimit(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		var granted atomic.Int32
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if take(t, db, ratelimit.Limit{Key: []byte("hot"), Max: 5, Window: time.Hour}) == 0 {
					granted.Add(1)
				}
			})
		}
		all.Wait()
		if granted.Load() != 5 {
			t.Errorf("%d of 64 granted, want 5", granted.Load())
		}
	})
}

func TestSweepForgetsEndedWindowsOnly(t *testing.T) {
	clock := apptest.NewClock(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		take(t, db, ratelimit.Limit{Key: []byte("short"), Max: 1, Window: time.Minute}, ratelimit.Limit{Key: []byte("long"), Max: 1, Window: time.Hour})
		clock.Advance(time.Minute)
		removed, err := ratelimit.Sweep(t.Context(), db, 100)
		if err != nil || removed != 1 {
			t.Fatalf("removed %d (%v), want 1", removed, err)
		}
		if take(t, db, ratelimit.Limit{Key: []byte("long"), Max: 1, Window: time.Hour}) == 0 {
			t.Error("a window that is still open was forgotten")
		}
	})
}
