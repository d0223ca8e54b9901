package apptest

import (
	"path/filepath"
	"testing"
	"time"

	"countersign.dev/base/store"
)

// Engines runs body once on each database engine, as the subtests "sqlite" and
// "postgres", each with a migrated database of its own that is gone afterwards.
// The two share nothing, so body may call t.Parallel.
func Engines(t *testing.T, body func(t *testing.T, db *store.DB)) {
	t.Helper()
	for _, engine := range []store.Engine{store.SQLite, store.PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) { body(t, Open(t, engine, nil)) })
	}
}

// EnginesAt is Engines on a test clock. On each engine the clock begins where
// it stood when EnginesAt was called; because the engines share it, body must
// not call t.Parallel.
func EnginesAt(t *testing.T, clock *Clock, body func(t *testing.T, db *store.DB)) {
	t.Helper()
	start := clock.Now()
	for _, engine := range []store.Engine{store.SQLite, store.PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) {
			clock.Set(start)
			body(t, Open(t, engine, clock))
		})
	}
}

// Open returns a new, migrated database on the engine, closed and removed when
// the test ends. A nil clock means the system's time. PostgreSQL needs a
// cluster, see [PostgresURL].
func Open(t testing.TB, engine store.Engine, clock *Clock) *store.DB {
	t.Helper()
	now := time.Now
	if clock != nil {
		now = clock.Now
	}
	db, err := store.Open(t.Context(), store.Options{URL: URL(t, engine), Now: now})
	if err != nil {
		t.Fatalf("open %s: %v", engine, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close %s: %v", engine, err)
		}
	})
	if engine == store.SQLite { // PostgreSQL databases are copies of a migrated one
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatalf("migrate %s: %v", engine, err)
		}
	}
	return db
}

// URL returns the address of a new database on the engine that only this test
// uses: an absent file for SQLite, a migrated database for PostgreSQL. It is
// for tests that open the database themselves or more than once, such as two
// nodes on one database.
func URL(t testing.TB, engine store.Engine) string {
	t.Helper()
	if engine == store.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "countersign.db")
	}
	return PostgresURL(t)
}
