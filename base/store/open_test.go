package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTimeOfTransaction(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 123456789, time.FixedZone("", 3600))
	db, err := Open(t.Context(), Options{URL: newURL(t, SQLite), Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	must(t, db, func(tx *Tx) error {
		if a, b := tx.Now(), tx.Now(); !a.Equal(b) || a.Location() != time.UTC || a.Nanosecond()%1000 != 0 {
			t.Errorf("%v, then %v", a, b)
		}
		if got := Time(Micros(tx.Now())); !got.Equal(tx.Now()) {
			t.Errorf("stored as %v", got)
		}
		return nil
	})
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	for _, address := range []string{"", "sqlite:", "mysql://u:secret@h/d", "postgres://u:secret@h:port/d"} {
		_, err := Open(t.Context(), Options{URL: address})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q gave %v", address, err)
		}
	}
}

func TestFileIsPrivate(t *testing.T) {
	url := newURL(t, SQLite)
	db := open(t, url)
	must(t, db, func(tx *Tx) error { tx.Later(insertThing, "a", 1); return nil })
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", suffix, info.Mode(), err)
		}
	}
}

func TestCheckpointErases(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		secret := []byte("to be erased from the disk")
		must(t, db, func(tx *Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO thing (id, n, body) VALUES ('a', 1, $1)", secret)
			return err
		})
		must(t, db, func(tx *Tx) error { _, err := tx.Exec(t.Context(), "DELETE FROM thing"); return err })
		if err := db.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		l, ok := db.engine.(*lite)
		if !ok {
			return
		}
		for _, name := range []string{l.writer.log, strings.TrimSuffix(l.writer.log, "-wal")} {
			b, err := os.ReadFile(name)
			if err != nil || bytes.Contains(b, secret) {
				t.Errorf("%s still has it, or %v", filepath.Base(name), err)
			}
		}
	})
}

func TestExplain(t *testing.T) {
	engines(t, func(t *testing.T, db *DB) {
		for query, want := range map[string]string{
			"SELECT id FROM thing WHERE n = $1":         "thing_n",
			"UPDATE thing SET done = TRUE WHERE n < $1": "thing_n",
		} {
			plan, err := db.Explain(t.Context(), query, 1)
			if err != nil || !strings.Contains(plan, want) {
				t.Errorf("plan %q, %v", plan, err)
			}
		}
	})
}

// A reader in the way holds up the checkpoint, not those who write.
func TestCheckpointWaitsForReaders(t *testing.T) {
	db := open(t, newURL(t, SQLite))
	must(t, db, putThing("a"))
	errs := make(chan error)
	err := db.Read(t.Context(), func(tx *Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT id FROM thing UNION ALL SELECT id FROM thing")
		if err != nil || !rows.Next() {
			return errors.Join(err, errors.New("nothing to read"))
		}
		defer rows.Close()
		go func() { errs <- db.Checkpoint(t.Context()) }()
		must(t, db, putThing("b"))
		must(t, db, putThing("c"))
		return nil
	})
	if err := errors.Join(err, <-errs); err != nil {
		t.Error(err)
	}
}
