package main

import (
	"testing"

	"countersign.dev/apptest"
	"countersign.dev/base/store"
	"countersign.dev/bench/rig"
)

// The bare loop names the program's tables. When these change, so must shape.go.
func TestTheBareLoopFitsTheSchema(t *testing.T) {
	for _, engine := range []store.Engine{store.SQLite, store.PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) {
			box, err := rig.OpenMailbox(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			url := apptest.URL(t, engine)
			db, err := store.Open(t.Context(), store.Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			job := bareJob{Engine: string(engine), URL: url, SMTP: box.URL(), Size: 3000, C: 2, N: 4}
			if _, err := job.do(t.Context()); err != nil {
				t.Error(err)
			}
			verified(t, db, job.N+min(100, job.N))
			if letters := box.Letters(); len(letters) != 8 || letters[0].Size < 2900 || letters[0].Size > 3000 {
				t.Errorf("%d letters came, the first %+v", len(letters), letters[0])
			}
			if err := box.Close(); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// verified checks that each statement found its row: the last of them found what the first made.
func verified(t *testing.T, db *store.DB, want int) {
	t.Helper()
	var got int
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM account a JOIN contact c ON c.account_id = a.account_id AND c.state = 'verified'
			JOIN verification v ON v.account_id = a.account_id AND v.state = 'verified'
			JOIN delivery d ON d.account_id = a.account_id AND d.state = 'accepted' AND d.attempts = 1
			JOIN verification_slot s ON s.account_id = a.account_id AND s.verification_id = ''
			WHERE a.changed_at > 1`).Scan(&got)
	})
	if err != nil || got != want {
		t.Errorf("%d verifications went through, want %d (%v)", got, want, err)
	}
}
