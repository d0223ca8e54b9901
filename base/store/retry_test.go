package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// Two transactions take two rows in opposite order. On PostgreSQL one of them is the victim of a deadlock and runs
// again; on SQLite there is one writer.
func TestDeadlockRunsAgain(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		must(t, db, func(tx *Tx) error {
			tx.LaterRow("INSERT INTO thing (id, n) VALUES", "a", 0)
			tx.LaterRow("INSERT INTO thing (id, n) VALUES", "b", 0)
			return nil
		})
		var bothHaveOne sync.WaitGroup
		if db.Engine() == PostgreSQL {
			bothHaveOne.Add(2)
		}
		var all sync.WaitGroup
		runs := make([]int, 2)
		for i, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
			all.Go(func() {
				err := db.Write(t.Context(), func(tx *Tx) error {
					runs[i]++
					if _, err := tx.Exec(t.Context(), "UPDATE thing SET n = n + 1 WHERE id = $1", order[0]); err != nil {
						return err
					}
					if runs[i] == 1 && db.Engine() == PostgreSQL {
						bothHaveOne.Done()
						bothHaveOne.Wait()
					}
					_, err := tx.Exec(t.Context(), "UPDATE thing SET n = n + 1 WHERE id = $1", order[1])
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := number(t, db, "SELECT SUM(n) FROM thing"); n != 4 {
			t.Errorf("the sum is %d, want 4", n)
		}
		want := map[Engine]int{SQLite: 2, PostgreSQL: 3}[db.Engine()]
		if got := runs[0] + runs[1]; got != want {
			t.Errorf("%d runs, want %d", got, want)
		}
	})
}

// Many count on one row at the same time; nothing is lost.
func TestConcurrentUpdates(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		must(t, db, putThing("sum"))
		var all sync.WaitGroup
		for g := range 16 {
			all.Go(func() {
				for i := range 5 {
					err := db.Write(t.Context(), func(tx *Tx) error {
						tx.LaterRow("INSERT INTO thing (id, n) VALUES", fmt.Sprint(g, "-", i), 0)
						_, err := tx.Exec(t.Context(), "UPDATE thing SET n = n + 1 WHERE id = 'sum'")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n := number(t, db, "SELECT SUM(n) FROM thing"); n != 81 {
			t.Errorf("the sum is %d, want 81", n)
		}
	})
}

// A reader whose context ends gives up its statement.
func TestReadEndsWithTheContext(t *testing.T) {
	t.Parallel()
	db := open(t, newURL(t, PostgreSQL))
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Read(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n FROM s) SELECT n FROM s")
		if err != nil {
			return err
		}
		defer rows.Close()
		cancel()
		for rows.Next() {
		}
		return rows.Err()
	})
	if err == nil {
		t.Error("read to the end")
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
