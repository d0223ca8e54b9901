package store

import (
	"fmt"
	"testing"
)

func TestDeferredConflictRunsAgain(t *testing.T) {
	tests := map[string]func(tx *Tx, id string){
		"Later":    func(tx *Tx, id string) { tx.Later(insertThing, id, 1) },
		"LaterRow": func(tx *Tx, id string) { tx.LaterRow("INSERT INTO thing (id, n) VALUES", id, 1) },
	}
	for name, put := range tests {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, db *DB) {
				must(t, db, func(tx *Tx) error { put(tx, "1"); return nil })
				runs, after := 0, 0
				must(t, db, func(tx *Tx) error {
					runs++
					tx.AfterCommit(func() { after++ })
					put(tx, fmt.Sprint(max(runs-1, 1)))
					return nil
				})
				if runs != 3 || after != 1 {
					t.Errorf("%d runs, %d calls after commit; want 3, 1", runs, after)
				}
				runs = 0
				err := db.Write(t.Context(), func(tx *Tx) error { runs++; put(tx, "1"); return nil })
				if !IsUnique(err) || runs != maxRuns {
					t.Errorf("got %v after %d runs", err, runs)
				}
			})
		})
	}
}

func TestLaterKeepsOrder(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db, func(tx *Tx) error {
			tx.Later(insertThing, "a", 1)
			tx.Later("UPDATE thing SET n = n * 10 WHERE id = $1", "a")
			tx.Later("UPDATE thing SET n = n + 1 WHERE id = $1", "a")
			var n int64
			if err := tx.QueryRow(ctx, "SELECT n FROM thing WHERE id = $1", "a").Scan(&n); err != nil || n != 11 {
				t.Errorf("read %d, %v; want 11", n, err)
			}
			tx.Later("UPDATE thing SET n = n * 2 WHERE id = $1", "a")
			return nil
		})
		if n := number(t, db, "SELECT n FROM thing"); n != 22 {
			t.Errorf("n is %d, want 22", n)
		}
	})
}

func TestLaterErrorShowsAtTheNextStatement(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *Tx) error {
			tx.Later("INSERT INTO thing (id) VALUES ($1)", "a") // n is missing
			var one int64
			if err := tx.QueryRow(ctx, "SELECT 1").Scan(&one); err == nil {
				t.Error("the statement after it went well")
			}
			return nil
		})
		if err == nil || IsUnique(err) {
			t.Errorf("got %v", err)
		}
		err = db.Write(ctx, func(tx *Tx) error { tx.Later("INSERT INTO thing (id) VALUES ($1)", "a"); return nil })
		if err == nil {
			t.Error("the commit went well")
		}
	})
}

func TestLaterRowsBecomeOneStatement(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx, count := WithCount(t.Context())
		const rows = 20000 // two statements: 30,000 placeholders are the most
		err := db.Write(ctx, func(tx *Tx) error {
			for i := range rows {
				tx.LaterRow("INSERT INTO thing (id, n) VALUES", fmt.Sprint(i), i)
			}
			tx.LaterRow("INSERT INTO child (thing_id, m) VALUES", "0", 1)
			tx.LaterRow("INSERT INTO child (thing_id, m) VALUES", "1", 1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != rows {
			t.Errorf("%d rows, want %d", n, rows)
		}
		if s, c := count.Statements.Load(), count.Commits.Load(); s != 3 || c != 1 {
			t.Errorf("%d statements, %d commits; want 3, 1", s, c)
		}
	})
}

func TestCount(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx, count := WithCount(t.Context())
		if err := db.Write(ctx, func(tx *Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		err := db.Write(ctx, func(tx *Tx) error {
			tx.Later(insertThing, "a", 1)
			_, err := tx.Exec(ctx, insertThing, "b", 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		if s, c := count.Statements.Load(), count.Commits.Load(); s != 3 || c != 1 {
			t.Errorf("%d statements, %d commits; want 3, 1", s, c)
		}
	})
}
