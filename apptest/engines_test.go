package apptest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"countersign.dev/apptest"
	"countersign.dev/base/store"
)

func TestEnginesGiveEachTestADatabaseOfItsOwn(t *testing.T) {
	for range 2 {
		apptest.Engines(t, func(t *testing.T, db *store.DB) {
			t.Parallel()
			ctx := t.Context()
			err := db.Write(ctx, func(tx *store.Tx) error {
				if _, err := tx.Exec(ctx, "CREATE TABLE apptest_own (id TEXT)"); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "INSERT INTO apptest_own (id) VALUES ($1)", "a")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestEnginesAtBeginAtTheSameTime(t *testing.T) {
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		if !db.Now().Equal(start) {
			t.Errorf("began at %v", db.Now())
		}
		clock.Advance(time.Hour)
		if !db.Now().Equal(start.Add(time.Hour)) {
			t.Errorf("went on to %v", db.Now())
		}
	})
}

func TestPostgresDatabaseIsDropped(t *testing.T) {
	var url string
	t.Run("in use", func(t *testing.T) { url = apptest.PostgresURL(t) })
	if url == "" {
		t.Skip("there is no PostgreSQL")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if conn, err := pgx.Connect(ctx, url); err == nil {
		conn.Close(ctx)
		t.Error("it is still there")
	}
}
