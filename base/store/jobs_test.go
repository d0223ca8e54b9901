package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

type greeting struct {
	Name string `json:"name"`
}

func (greeting) Kind() string { return "greeting" }

// start starts jobs and stops them with the test.
func start(t *testing.T, j *Jobs) {
	t.Helper()
	j.inTest = true
	if err := j.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// receive waits for a signal of a job.
func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return v
}

func TestJobCommitsWithTheRow(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		put := func(name string, end error) error {
			return db.Write(ctx, func(tx *Tx) error {
				tx.Later(insertThing, name, 1)
				if err := tx.Enqueue(ctx, greeting{name}, nil); err != nil {
					return err
				}
				tx.Later("UPDATE thing SET n = 2 WHERE id = $1", name)
				return end
			})
		}
		refused := errors.New("refused")
		if err := put("dropped", refused); !errors.Is(err, refused) {
			t.Fatal(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM river_job"); n != 0 {
			t.Errorf("%d jobs after the rollback", n)
		}
		if err := put("kept", nil); err != nil {
			t.Fatal(err)
		}
		worked := make(chan string, 9)
		j := db.Jobs()
		Work(j, func(_ context.Context, g greeting) error { worked <- g.Name; return nil })
		start(t, j)
		if got := receive(t, worked); got != "kept" {
			t.Errorf("worked %q", got)
		}
		if err := put("started", nil); err != nil { // while the jobs run
			t.Fatal(err)
		}
		if got := receive(t, worked); got != "started" {
			t.Errorf("worked %q", got)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing WHERE n = 2"); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

func TestFailedJobRunsAgain(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		worked := make(chan int64, 9)
		var runs atomic.Int64
		j := db.Jobs()
		Work(j, func(context.Context, greeting) error {
			n := runs.Add(1)
			worked <- n
			if n == 1 {
				return errors.New("not yet")
			}
			return nil
		})
		start(t, j)
		must(t, db, func(tx *Tx) error { return tx.Enqueue(t.Context(), greeting{}, nil) })
		for want := int64(1); want <= 2; want++ {
			if got := receive(t, worked); got != want {
				t.Errorf("run %d, want %d", got, want)
			}
		}
	})
}

func TestPeriodicRunsOnOneNode(t *testing.T) {
	urls(t, func(t *testing.T, url string) {
		first := open(t, url)
		var running atomic.Int64
		rounds := make(chan int64, 99)
		hold := make(chan struct{})
		second, err := Open(t.Context(), Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = second.Close() })
		for _, node := range []*DB{first, second} {
			j := node.Jobs()
			j.Periodic("sweep", time.Second, func(ctx context.Context) error {
				rounds <- running.Add(1)
				defer running.Add(-1)
				select {
				case <-hold:
				case <-ctx.Done():
				}
				return nil
			})
			start(t, j)
		}
		for range 3 {
			if n := receive(t, rounds); n != 1 {
				t.Errorf("%d at a time", n)
			}
			hold <- struct{}{}
		}
		close(hold)
	})
}

func TestLeaseHasOneHolder(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		now := time.Now()
		db.now = func() time.Time { return now }
		holders := make(chan string, 16)
		errs := make(chan error, 16)
		for i := range 16 {
			go func() {
				holder := string(rune('a' + i))
				held, err := db.Lease(t.Context(), "work", holder, time.Minute)
				if held {
					holders <- holder
				}
				errs <- err
			}()
		}
		for range 16 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if len(holders) != 1 {
			t.Fatalf("%d holders", len(holders))
		}
		first := <-holders
		lease := func(holder string, want bool) {
			t.Helper()
			if held, err := db.Lease(t.Context(), "work", holder, time.Minute); held != want || err != nil {
				t.Errorf("%s: %t, %v; want %t", holder, held, err, want)
			}
		}
		lease(first, true) // renewed
		lease("other", false)
		now = now.Add(time.Minute)
		lease("other", true)
		lease(first, false)
	})
}
