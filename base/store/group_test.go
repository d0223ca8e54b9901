package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// behind holds the writing connection until the others are waiting for it, then lets it go and returns their errors.
// A panic of one of them counts as the error it panics with.
func behind(t *testing.T, db *DB, others ...func(tx *Tx) error) []error {
	t.Helper()
	w := db.engine.(*lite).writer
	errs := make([]error, len(others))
	var done sync.WaitGroup
	started := false
	must(t, db, func(tx *Tx) error {
		tx.Later(insertThing, "first", 0)
		if started { // a second run
			return nil
		}
		started = true
		for i, fn := range others {
			done.Add(1)
			go func() {
				defer done.Done()
				defer func() {
					if p := recover(); p != nil {
						errs[i] = p.(error)
					}
				}()
				errs[i] = db.Write(t.Context(), fn)
			}()
			waiting(w, i+1)
		}
		return nil
	})
	done.Wait()
	return errs
}

// waiting returns when so many wait for the turn.
func waiting(w *writer, n int) {
	for {
		w.mu.Lock()
		now := len(w.queue)
		w.mu.Unlock()
		if now >= n {
			return
		}
		runtime.Gosched()
	}
}

func putThing(id string) func(tx *Tx) error {
	return func(tx *Tx) error { tx.Later(insertThing, id, 1); return nil }
}

func TestWritesShareCommits(t *testing.T) {
	db := open(t, newURL(t, SQLite))
	before := db.engine.(*lite).writer.commits
	const n = 100
	var fns []func(tx *Tx) error
	for i := range n {
		fns = append(fns, putThing(fmt.Sprint(i)))
	}
	for i, err := range behind(t, db, fns...) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if got := number(t, db, "SELECT COUNT(*) FROM thing"); got != n+1 {
		t.Errorf("%d rows, want %d", got, n+1)
	}
	if got := db.engine.(*lite).writer.commits - before; got != 2 {
		t.Errorf("%d commits, want 2", got)
	}
}

func TestOneOfAGroupFails(t *testing.T) {
	boom := errors.New("boom")
	tests := map[string]struct {
		fn      func(tx *Tx) error
		want    error
		commits int // of the three others and the first
	}{
		"error":     {func(tx *Tx) error { tx.Later(insertThing, "bad", 1); return boom }, boom, 1},
		"panic":     {func(tx *Tx) error { tx.Later(insertThing, "bad", 1); panic(boom) }, boom, 1},
		"exit":      {func(tx *Tx) error { tx.Later(insertThing, "bad", 1); runtime.Goexit(); return nil }, nil, 1},
		"statement": {func(tx *Tx) error { _, err := tx.Exec(context.Background(), insertThing, "0", 1); return err }, ErrUnique, 1},
	}
	for name, test := range tests {
		for place := range 4 {
			t.Run(fmt.Sprint(name, place), func(t *testing.T) {
				db := open(t, newURL(t, SQLite))
				if place == 0 && name == "statement" {
					t.Skip("nothing to collide with")
				}
				before := db.engine.(*lite).writer.commits
				var fns []func(tx *Tx) error
				for i := range 3 {
					fns = append(fns, putThing(fmt.Sprint(i)))
				}
				fns = append(fns[:place], append([]func(tx *Tx) error{test.fn}, fns[place:]...)...)
				for i, err := range behind(t, db, fns...) {
					if i == place && !errors.Is(err, test.want) || i != place && err != nil {
						t.Errorf("%d: %v", i, err)
					}
				}
				if n := number(t, db, "SELECT COUNT(*) FROM thing WHERE id <> 'bad'"); n != 4 {
					t.Errorf("%d rows, want 4", n)
				}
				if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 4 {
					t.Errorf("%d rows in all, want 4", n)
				}
				if got := db.engine.(*lite).writer.commits - before; got != test.commits {
					t.Errorf("%d commits, want %d", got, test.commits)
				}
			})
		}
	}
}

// A statement that makes SQLite roll back the whole transaction takes the others with it; they run again.
func TestLostGroupRunsAgain(t *testing.T) {
	db := open(t, newURL(t, SQLite))
	var runs atomic.Int64
	fn := func(id string) func(tx *Tx) error {
		return func(tx *Tx) error { runs.Add(1); return putThing(id)(tx) }
	}
	errs := behind(t, db, fn("a"), fn("b"), func(tx *Tx) error {
		_, err := tx.Exec(t.Context(), "ROLLBACK")
		return err
	}, fn("c"))
	for i, err := range errs {
		if (err != nil) != (i == 2) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 4 || runs.Load() != 5 {
		t.Errorf("%d rows after %d runs; want 4, 5", n, runs.Load())
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	db := open(t, newURL(t, SQLite))
	w := db.engine.(*lite).writer
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error)
	must(t, db, func(tx *Tx) error {
		go func() { errs <- db.Write(ctx, func(*Tx) error { t.Error("fn ran"); return nil }) }()
		waiting(w, 1)
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	must(t, db, putThing("a"))
}

// Contexts end at every moment around the hand-over of the turn; no commit is left to nobody.
func TestContextsEndAroundTheTurn(t *testing.T) {
	db := open(t, newURL(t, SQLite))
	var committed atomic.Int64
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 60 {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				err := db.Write(ctx, putThing(fmt.Sprint(g, "-", i)))
				cancel()
				if err == nil {
					committed.Add(1)
				} else if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	must(t, db, putThing("last"))
	if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != committed.Load()+1 {
		t.Errorf("%d rows, want %d", n, committed.Load()+1)
	}
}

func TestClosed(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(context.Background(), putThing("a")); err == nil {
			t.Error("wrote to a closed database")
		}
		if err := db.Ping(context.Background()); err == nil {
			t.Error("read from a closed database")
		}
	})
}
