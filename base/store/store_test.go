package store

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTables is what the tests of this package migrate to.
var testTables = fstest.MapFS{
	"00001_test.sql": {Data: []byte(`-- +goose Up
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL);
CREATE TABLE thing (id TEXT PRIMARY KEY, n BIGINT NOT NULL, body BYTEA, done BOOLEAN NOT NULL DEFAULT FALSE, note TEXT);
CREATE TABLE child (thing_id TEXT NOT NULL REFERENCES thing (id), m BIGINT NOT NULL, PRIMARY KEY (thing_id, m));
CREATE INDEX thing_n ON thing (n);
-- +goose Down
DROP TABLE child;
DROP TABLE thing;
DROP TABLE lease;
`)},
	"00002_only_sqlite.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE of_sqlite (a TEXT);\n")},
	"00002_only_postgres.sql": {Data: []byte("-- +goose Up\nCREATE TABLE of_postgres (a TEXT);\n")},
}

// engines runs a test on a fresh database of each engine.
func engines(t *testing.T, test func(t *testing.T, db *DB)) {
	urls(t, func(t *testing.T, url string) { test(t, open(t, url)) })
}

// urls runs a test with the URL of an empty database of each engine.
func urls(t *testing.T, test func(t *testing.T, url string)) {
	t.Parallel()
	for _, e := range []Engine{SQLite, PostgreSQL} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			test(t, newURL(t, e))
		})
	}
}

// open opens and migrates a database of the test tables.
func open(t testing.TB, url string) *DB {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	db, err := Open(t.Context(), Options{URL: url, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	db.migrations = testTables
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// newURL makes an empty database. PostgreSQL's come from the cluster that the environment names.
func newURL(t testing.TB, e Engine) string {
	t.Helper()
	if e == SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "a b%#?.db")
	}
	cluster := os.Getenv("COUNTERSIGN_TEST_POSTGRES")
	if cluster == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("COUNTERSIGN_TEST_POSTGRES is not set")
		}
		t.Skip("COUNTERSIGN_TEST_POSTGRES is not set")
	}
	name := "store_" + NewID(time.Now())
	admin(t, cluster, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, cluster, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(cluster)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func admin(t testing.TB, cluster, sql string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, cluster)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

// must runs a Write that has to succeed.
func must(t testing.TB, db *DB, fn func(tx *Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// number asks for one number outside a transaction.
func number(t testing.TB, db *DB, query string, args ...any) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const insertThing = "INSERT INTO thing (id, n) VALUES ($1, $2)"

func TestRollback(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		refused := errors.New("refused")
		after := false
		err := db.Write(t.Context(), func(tx *Tx) error {
			tx.AfterCommit(func() { after = true })
			tx.Later(insertThing, "a", 1)
			if _, err := tx.Exec(t.Context(), insertThing, "b", 1); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) || after {
			t.Errorf("got %v, after commit %t", err, after)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
	})
}

func TestPanicRollsBackAndGoesOn(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		func() {
			defer func() {
				if p := recover(); p != "boom" {
					t.Errorf("recovered %v", p)
				}
			}()
			_ = db.Write(t.Context(), func(tx *Tx) error {
				if _, err := tx.Exec(t.Context(), insertThing, "a", 1); err != nil {
					return err
				}
				panic("boom")
			})
		}()
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
		must(t, db, func(tx *Tx) error { tx.Later(insertThing, "a", 1); return nil })
	})
}

func TestDoneContext(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *Tx) error { // a Write that has started is finished
			cancel()
			tx.Later(insertThing, "a", 1)
			_, err := tx.Exec(ctx, insertThing, "b", 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(ctx, func(tx *Tx) error { t.Error("fn ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if n := number(t, db, "SELECT COUNT(*) FROM thing"); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}
