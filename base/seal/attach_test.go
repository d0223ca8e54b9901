package seal

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"

	"countersign.dev/apptest"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

func attach(t *testing.T, db *store.DB, d folder) *Keyring {
	t.Helper()
	k, _, err := Attach(t.Context(), db, Options{Dir: string(d)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// addAccount writes an account's row with a new data key and a name sealed under it.
func addAccount(t *testing.T, db *store.DB, k *Keyring, id string) {
	t.Helper()
	d, wrapped, by, err := k.NewDataKey(id)
	if err != nil {
		t.Fatal(err)
	}
	name := d.Seal(Place{"account", id, "name"}, []byte("name of "+id))
	exec(t, db, `INSERT INTO account (account_id, data_key, wrapped_by, name, locale, time_zone, country, created_at, changed_at)
		VALUES ($1, $2, $3, $4, 'en', 'UTC', 'GB', 0, 0)`, id, wrapped, by, name)
}

func exec(t *testing.T, db *store.DB, sql string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// nameOf opens an account's name as a feature would.
func nameOf(ctx context.Context, db *store.DB, k *Keyring, id string) (string, error) {
	var wrapped, name []byte
	err := db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT data_key, name FROM account WHERE account_id = $1`, id).Scan(&wrapped, &name)
	})
	if err != nil {
		return "", err
	}
	d, err := k.Unwrap(id, wrapped)
	if err != nil {
		return "", err
	}
	plain, err := d.Open(Place{"account", id, "name"}, name)
	return string(plain), err
}

func wantName(t *testing.T, db *store.DB, k *Keyring, id string) {
	t.Helper()
	if got, err := nameOf(t.Context(), db, k, id); err != nil || got != "name of "+id {
		t.Errorf("account %s: %q, %v", id, got, err)
	}
}

func wantFault(t *testing.T, err error, id string) {
	t.Helper()
	if !fault.Is(err, id) {
		t.Errorf("got %v, want %s", err, id)
	}
}

func TestAttachMakesKeysOnce(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		first, created, err := Attach(t.Context(), db, Options{Dir: string(d)})
		if err != nil || !created {
			t.Fatalf("first: created %v, %v", created, err)
		}
		addAccount(t, db, first, "S-1")
		sealed := first.Instance().Seal(here, []byte("hello"))

		again, created, err := Attach(t.Context(), db, Options{Dir: string(d)})
		if err != nil || created {
			t.Fatalf("again: created %v, %v", created, err)
		}
		wantName(t, db, again, "S-1")
		if got, err := again.Instance().Open(here, sealed); err != nil || string(got) != "hello" {
			t.Errorf("the instance's data key: %q, %v", got, err)
		}
		if !bytes.Equal(first.Index("email", "a"), again.Index("email", "a")) {
			t.Error("the blind index changed")
		}
	})
}

func TestAttachAdoptsKeysForAnEmptyDatabase(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		made := create(t, d)
		k, created, err := Attach(t.Context(), db, Options{Dir: string(d)})
		if err != nil || created {
			t.Fatalf("created %v, %v", created, err)
		}
		if !bytes.Equal(k.keys.Load().fingerprint, made.fingerprint) {
			t.Error("attached to other keys than those in the folder")
		}
	})
}

func TestAttachRefusesMissingAndWrongKeys(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		attach(t, db, testFolder(t))
		empty, other, before := testFolder(t), testFolder(t), instanceRow(t, db)
		create(t, other)
		tests := []struct {
			name, fault string
			options     Options
		}{
			{"missing folder", "keyset-missing", Options{Dir: string(empty)}},
			{"other keys", "keyset-wrong", Options{Dir: string(other)}},
			{"other keys by setting", "keyset-wrong", Options{Keyset: string(printed(t, madeKeys(t)))}},
			{"setting that is no keyset", "keyset-unreadable", Options{Dir: string(other), Keyset: "{}"}},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				k, created, err := Attach(t.Context(), db, tt.options)
				wantFault(t, err, tt.fault)
				if k != nil || created {
					t.Errorf("got a keyring %v, created %v", k != nil, created)
				}
			})
		}
		if _, err := os.Stat(string(empty)); !os.IsNotExist(err) {
			t.Error("a refused attach left something behind")
		}
		if after := instanceRow(t, db); !bytes.Equal(after.fingerprint, before.fingerprint) || !bytes.Equal(after.dataKey, before.dataKey) {
			t.Error("a refused attach changed the instance row")
		}
	})
}

func instanceRow(t *testing.T, db *store.DB) *instance {
	t.Helper()
	row, err := readInstance(t.Context(), db)
	if err != nil || row == nil {
		t.Fatalf("no instance row: %v", err)
	}
	return row
}

func TestAttachRefusesAccountsWithoutInstance(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		addAccount(t, db, attach(t, db, testFolder(t)), "S-1")
		exec(t, db, `DELETE FROM instance`)
		_, _, err := Attach(t.Context(), db, Options{Dir: string(testFolder(t))})
		wantFault(t, err, "instance-missing")
	})
}

func TestAttachNeedsAPlaceForTheKeys(t *testing.T) {
	if _, _, err := Attach(t.Context(), nil, Options{}); err == nil {
		t.Error("attached without a folder and a setting")
	}
}

func TestAttachBySetting(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		content := string(printed(t, madeKeys(t)))
		first, created, err := Attach(t.Context(), db, Options{Keyset: content})
		if err != nil || created {
			t.Fatalf("created %v, %v", created, err)
		}
		addAccount(t, db, first, "S-1")
		second, _, err := Attach(t.Context(), db, Options{Keyset: content})
		if err != nil {
			t.Fatal(err)
		}
		wantName(t, db, second, "S-1")
		wantFault(t, second.Rotate(t.Context()), "keyset-fixed")
	})
}

func TestLostClaim(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		winner, loser := madeKeys(t), madeKeys(t)
		won, err := claim(t.Context(), db, winner)
		if err != nil {
			t.Fatal(err)
		}
		lost, err := claim(t.Context(), db, loser)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(lost.fingerprint, winner.fingerprint) || !bytes.Equal(lost.dataKey, won.dataKey) {
			t.Error("the second claim changed the row")
		}
		_, err = open("", loser, lost)
		wantFault(t, err, "keyset-wrong")
	})
}

// Two machines, each with several processes, start on one empty database at the same moment: the keys of one folder win and all its
// processes run. Those of the other folder are refused: as wrong when they had made keys before the database was taken, else as missing.
func TestAttachRace(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		folders := []folder{testFolder(t), testFolder(t)}
		const processes = 8
		type result struct {
			k       *Keyring
			created bool
			err     error
		}
		results := make([]result, processes)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range processes {
			wg.Go(func() {
				<-start
				r := &results[i]
				r.k, r.created, r.err = Attach(t.Context(), db, Options{Dir: string(folders[i%2])})
			})
		}
		close(start)
		wg.Wait()

		fingerprint, created := instanceRow(t, db).fingerprint, 0
		var won [2]int
		for i, r := range results {
			if r.err != nil {
				if !fault.Is(r.err, "keyset-wrong") && !fault.Is(r.err, "keyset-missing") {
					t.Error(r.err)
				}
				continue
			}
			won[i%2]++
			if r.created {
				created++
			}
			if !bytes.Equal(r.k.keys.Load().fingerprint, fingerprint) {
				t.Error("attached with keys that are not the database's")
			}
		}
		if won != [2]int{processes / 2, 0} && won != [2]int{0, processes / 2} {
			t.Errorf("%v processes of the two folders attached, want all of one", won)
		}
		if created != 1 {
			t.Errorf("%d processes made the keys, want 1", created)
		}
	})
}
