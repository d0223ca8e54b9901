package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
)

type label string

func TestValues(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db, func(tx *Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO thing (id, n, body, done, note) VALUES ($2, $1, $3, $4, $5)",
				int64(7), label("a"), []byte{0, 1}, true, (*string)(nil))
			tx.LaterRow("INSERT INTO thing (id, n, body, note) VALUES", "b", 8, []byte(nil), sql.NullString{})
			tx.LaterRow("INSERT INTO thing (id, n, body, note) VALUES", "c", 9, []byte{}, "x")
			return err
		})
		err := db.Read(ctx, func(tx *Tx) error {
			rows, err := tx.Query(ctx, "SELECT id, n, body, done, note FROM thing WHERE n >= $1 ORDER BY id", 7)
			if err != nil {
				return err
			}
			defer rows.Close()
			var got []string
			for rows.Next() {
				var id label
				var n int
				var body []byte
				var done bool
				var note *string
				if err := rows.Scan(&id, &n, &body, &done, &note); err != nil {
					return err
				}
				got = append(got, fmt.Sprintf("%s %d %v %t %t %t", id, n, body, body == nil, done, note == nil))
			}
			want := "a 7 [0 1] false true true|b 8 [] true false true|c 9 [] false false false"
			if s := strings.Join(got, "|"); s != want {
				t.Errorf("got %s, want %s", s, want)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestScanOfNull(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db, func(tx *Tx) error { _, err := tx.Exec(ctx, insertThing, "a", 1); return err })
		err := db.Read(ctx, func(tx *Tx) error {
			var s string
			if err := tx.QueryRow(ctx, "SELECT note FROM thing").Scan(&s); err == nil {
				t.Error("NULL went into a string")
			}
			return nil
		})
		if err == nil {
			t.Error("a failed scan did not show at the end")
		}
		err = db.Read(ctx, func(tx *Tx) error {
			var note sql.NullString
			var n *int64
			return tx.QueryRow(ctx, "SELECT note, n FROM thing").Scan(&note, &n)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestStatements(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db, func(tx *Tx) error {
			var n int64
			upsert := `INSERT INTO thing (id, n) VALUES ($1, $2)
				ON CONFLICT (id) DO UPDATE SET n = thing.n + excluded.n RETURNING n`
			for want := int64(5); want <= 15; want += 5 {
				if err := tx.QueryRow(ctx, upsert, "a", 5).Scan(&n); err != nil || n != want {
					t.Errorf("upsert returned %d, %v; want %d", n, err, want)
				}
			}
			rows, err := tx.Exec(ctx, "INSERT INTO thing (id, n) VALUES ($1, $2) ON CONFLICT DO NOTHING", "a", 1)
			if err != nil || rows != 0 {
				t.Errorf("a conflict changed %d rows, %v", rows, err)
			}
			rows, err = tx.Exec(ctx, "UPDATE thing SET done = $1 WHERE done IS NOT DISTINCT FROM $2", true, false)
			if err != nil || rows != 1 {
				t.Errorf("an update changed %d rows, %v", rows, err)
			}
			err = tx.QueryRow(ctx, "UPDATE thing SET n = 0 WHERE id = $1 RETURNING n", "z").Scan(&n)
			if !errors.Is(err, ErrNoRows) {
				t.Errorf("no row gave %v", err)
			}
			return nil
		})
		if n := number(t, db, "SELECT n FROM thing WHERE done"); n != 15 {
			t.Errorf("n is %d, want 15", n)
		}
	})
}

func TestUniqueViolation(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		must(t, db, func(tx *Tx) error { tx.Later(insertThing, "a", 1); return nil })
		runs := 0
		err := db.Write(ctx, func(tx *Tx) error {
			runs++
			tx.Later(insertThing, "b", 1)
			_, err := tx.Exec(ctx, insertThing, "a", 1)
			if !IsUnique(err) || !errors.Is(err, ErrUnique) {
				t.Errorf("got %v, want a unique violation", err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the value: %v", err)
			}
			return nil // the failed statement ends the transaction all the same
		})
		if !IsUnique(err) {
			t.Errorf("got %v", err)
		}
		if runs != 1 {
			t.Errorf("%d runs, want 1", runs)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestFailedStatementEndsTheTransaction(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *Tx) error {
			tx.Later(insertThing, "a", 1)
			_, first := tx.Exec(ctx, "INSERT INTO child (thing_id, m) VALUES ($1, 1)", "z")
			if db.Engine() == PostgreSQL && first == nil || first != nil && strings.Contains(first.Error(), `"z"`) {
				t.Errorf("foreign key: %v", first)
			}
			_, second := tx.Exec(ctx, insertThing, "b", 1)
			if first == nil || !errors.Is(second, first) {
				t.Errorf("after %v came %v", first, second)
			}
			return nil
		})
		if err == nil {
			t.Error("the transaction committed")
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
	})
}

func TestReadRefusesWrites(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		for name, fn := range map[string]func(tx *Tx) error{
			"Exec":   func(tx *Tx) error { _, err := tx.Exec(ctx, insertThing, "a", 1); return err },
			"Query":  func(tx *Tx) error { return tx.QueryRow(ctx, insertThing+" RETURNING n", "a", 1).Scan(new(int64)) },
			"Later":  func(tx *Tx) error { tx.Later(insertThing, "a", 1); return nil },
			"Row":    func(tx *Tx) error { tx.LaterRow("INSERT INTO thing (id, n) VALUES", "a", 1); return nil },
			"After":  func(tx *Tx) error { tx.AfterCommit(func() {}); return nil },
			"Job":    func(tx *Tx) error { return tx.Enqueue(ctx, greeting{}, nil) },
			"nested": func(tx *Tx) error { return twoQueries(ctx, tx) },
		} {
			if err := db.Read(ctx, fn); err == nil {
				t.Errorf("%s within Read was allowed", name)
			}
		}
	})
}

// twoQueries asks a second question while the first one's rows are open.
func twoQueries(ctx context.Context, tx *Tx) error {
	rows, err := tx.Query(ctx, "SELECT 1")
	if err != nil {
		return err
	}
	defer rows.Close()
	rows.Next()
	return tx.QueryRow(ctx, "SELECT 1").Scan(new(int64))
}

func TestReadSeesEachCommit(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		err := db.Read(ctx, func(tx *Tx) error {
			for want := range int64(3) {
				var n int64
				if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM thing").Scan(&n); err != nil || n != want {
					t.Errorf("read %d, %v; want %d", n, err, want)
				}
				must(t, db, func(tx *Tx) error { tx.Later(insertThing, fmt.Sprint(want), 1); return nil })
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestErrorsShowNoValues(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		must(t, db, putThing("m@example.com"))
		for _, statement := range []string{
			insertThing, // the key is there
			"INSERT INTO child (thing_id, m) VALUES ($1 || 'x', $2)",
			"UPDATE thing SET n = NULL WHERE id = $1 AND n <> $2",
			"SELECT CAST($1 AS BIGINT) + $2 / 0",
		} {
			err := db.Write(t.Context(), func(tx *Tx) error {
				_, err := tx.Exec(t.Context(), statement, "m@example.com", 2)
				return err
			})
			if err != nil && strings.Contains(err.Error(), "example") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		err := db.Write(t.Context(), func(tx *Tx) error {
			tx.LaterRow("INSERT INTO thing (id, n) VALUES", "c", "m@example.com")
			return nil
		})
		if err != nil && strings.Contains(err.Error(), "example") {
			t.Error(err)
		}
	})
}

// Rows that a function leaves open are closed with its transaction; the connection serves on.
func TestRowsLeftOpen(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		must(t, db, func(tx *Tx) error {
			tx.LaterRow("INSERT INTO thing (id, n) VALUES", "a", 1)
			tx.LaterRow("INSERT INTO thing (id, n) VALUES", "b", 1)
			return nil
		})
		const query = "SELECT id FROM thing WHERE n = $1"
		leave := func(tx *Tx) error {
			rows, err := tx.Query(t.Context(), query, 1)
			if err == nil && !rows.Next() {
				err = ErrNoRows
			}
			return err
		}
		for range 3 {
			if err := db.Write(t.Context(), leave); err == nil {
				t.Error("committed while rows were open")
			}
			if err := db.Read(t.Context(), leave); err != nil {
				t.Error(err)
			}
			must(t, db, func(tx *Tx) error {
				var id string
				return tx.QueryRow(t.Context(), query, 1).Scan(&id)
			})
		}
		if err := db.Checkpoint(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
