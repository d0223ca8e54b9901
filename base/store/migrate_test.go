package store

import (
	"errors"
	"testing"
	"time"

	"countersign.dev/base/fault"
)

func TestMigrateTwiceAndEngineFiles(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := db.SchemaVersion(t.Context()); err != nil || v != 2 {
			t.Errorf("version %d, %v; want 2", v, err)
		}
		for _, e := range []Engine{SQLite, PostgreSQL} {
			var exists bool
			err := db.Read(t.Context(), func(tx *Tx) error {
				return tx.QueryRow(t.Context(), db.engine.tableExists("of_"+string(e))).Scan(&exists)
			})
			if err != nil || exists != (e == db.Engine()) {
				t.Errorf("table of %s: %t, %v", e, exists, err)
			}
		}
	})
}

func TestShippedMigrations(t *testing.T) {
	urls(t, func(t *testing.T, url string) {
		for range 2 {
			db, err := Open(t.Context(), Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if ok, err := db.Lease(t.Context(), "a", "b", time.Minute); !ok || err != nil {
				t.Errorf("lease %t, %v", ok, err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestNodesMigrateAtTheSameTime(t *testing.T) {
	url := newURL(t, PostgreSQL)
	errs := make(chan error)
	for range 3 {
		go func() {
			db, err := Open(t.Context(), Options{URL: url})
			if err == nil {
				err = errors.Join(db.Migrate(t.Context()), db.Close())
			}
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	for name, insert := range map[string]string{
		"own":  "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)",
		"jobs": "INSERT INTO river_migration (line, version) VALUES ('main', 99999)",
	} {
		t.Run(name, func(t *testing.T) {
			urls(t, func(t *testing.T, url string) {
				db := open(t, url)
				must(t, db, func(tx *Tx) error { _, err := tx.Exec(t.Context(), insert); return err })
				_, err := Open(t.Context(), Options{URL: url})
				if !fault.Is(err, "database-newer") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
