package store

import "testing"

func TestARelaxedWriteIsWrittenAndNotWaitedFor(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		mode := ""
		err := db.WriteRelaxed(t.Context(), func(tx *Tx) error {
			tx.Later(insertThing, "a", 1)
			if tx.Engine() == SQLite {
				return nil
			}
			return tx.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&mode)
		})
		if err != nil {
			t.Fatal(err)
		}
		if db.Engine() == PostgreSQL && mode != "off" {
			t.Errorf("synchronous_commit is %q in a relaxed transaction", mode)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
		must(t, db, func(tx *Tx) error {
			if tx.Engine() == SQLite {
				return nil
			}
			return tx.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&mode)
		})
		if db.Engine() == PostgreSQL && mode != "on" {
			t.Errorf("synchronous_commit is %q afterwards, on the same connection", mode)
		}
	})
}

func TestAfterRollbackRunsForEachFailure(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		must(t, db, func(tx *Tx) error { tx.Later(insertThing, "taken", 1); return nil })
		runs, undone := 0, 0
		must(t, db, func(tx *Tx) error {
			runs++
			tx.AfterRollback(func() { undone++ })
			id := "taken"
			if runs == 3 {
				id = "free"
			}
			tx.Later(insertThing, id, 1)
			return nil
		})
		if runs != 3 || undone != 2 {
			t.Errorf("%d runs and %d undone, want 3 and 2", runs, undone)
		}
	})
}
