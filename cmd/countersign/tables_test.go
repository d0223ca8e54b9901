package main

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"countersign.dev/base/config"
	"countersign.dev/base/store"
)

// direct opens the database as somebody does who has stolen it: without the program and without its keys.
func direct(t testing.TB, s config.Settings) *sql.DB {
	t.Helper()
	driver, source := "pgx", s.DatabaseURL
	if engineOf(s) == store.SQLite {
		driver, source = "sqlite", databaseFile(s)+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(-1) // an open connection would keep the program from emptying SQLite's log when it ends
	t.Cleanup(func() { db.Close() })
	return db
}

func engineOf(s config.Settings) store.Engine {
	if strings.HasPrefix(s.Database(), "sqlite:") {
		return store.SQLite
	}
	return store.PostgreSQL
}

func databaseFile(s config.Settings) string { return strings.TrimPrefix(s.Database(), "sqlite:") }

// row is a row of a table by column; text columns are string, BYTEA ones []byte.
type row map[string]any

func (r row) text(column string) string {
	s, _ := r[column].(string)
	return s
}

// tables reads every row of every table.
func tables(t testing.TB, s config.Settings) map[string][]row {
	t.Helper()
	conn, err := direct(t, s).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
	if engineOf(s) == store.SQLite {
		query = "SELECT name FROM sqlite_master WHERE type = 'table'"
	}
	all := map[string][]row{}
	for _, r := range queryRows(t, conn, query) {
		for _, name := range r {
			all[name.(string)] = queryRows(t, conn, fmt.Sprintf("SELECT * FROM %q", name))
		}
	}
	if len(all) < 10 {
		t.Fatalf("there are only %d tables", len(all))
	}
	return all
}

func queryRows(t testing.TB, conn *sql.Conn, query string) (all []row) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		r := row{}
		for i, name := range columns {
			r[name] = values[i]
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// write is a statement of somebody who goes past the program.
func write(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// plain is all rows of a table as one text, each value as it is.
func plain(rows []row) []byte {
	var b strings.Builder
	for _, r := range rows {
		for _, column := range slices.Sorted(maps.Keys(r)) {
			switch v := r[column].(type) {
			case []byte:
				b.Write(v)
			default:
				fmt.Fprint(&b, v)
			}
			b.WriteByte('\n')
		}
	}
	return []byte(b.String())
}
