package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"countersign.dev/apptest"
	"countersign.dev/base/store"
)

// wrappedWith counts the accounts by the key that wraps them.
func wrappedWith(t *testing.T, db *store.DB) map[int64]int {
	t.Helper()
	var counts map[int64]int
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		counts = make(map[int64]int)
		rows, err := tx.Query(t.Context(), `SELECT wrapped_by, data_key FROM account`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var by int64
			var wrapped []byte
			if err := rows.Scan(&by, &wrapped); err != nil {
				return err
			}
			if id, ok := wrappedBy(wrapped); !ok || int64(id) != by {
				t.Errorf("wrapped_by is %d, the key says %d", by, id)
			}
			counts[by]++
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func rotate(t *testing.T, k *Keyring) (primary int64) {
	t.Helper()
	if err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return int64(k.keys.Load().primary)
}

func TestRotation(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		k := attach(t, db, d)
		elsewhere := attach(t, db, d) // another process, which learns of the rotation by itself
		const accounts, limit = 25, 10
		for i := range accounts {
			addAccount(t, db, k, fmt.Sprintf("S-%02d", i))
		}
		sealed := k.Instance().Seal(here, []byte("hello"))
		first := int64(k.keys.Load().primary)
		rotate(t, k)
		addAccount(t, db, elsewhere, "S-late") // still wrapped with the first key
		addAccount(t, db, k, "S-new")
		primary := rotate(t, k)

		left := accounts + 2
		for left > 0 {
			n, err := k.RewrapBatch(t.Context(), db, limit)
			if err != nil || n != min(left, limit) {
				t.Fatalf("%d left: re-wrapped %d, %v", left, n, err)
			}
			left -= n
			for i := range accounts {
				wantName(t, db, k, fmt.Sprintf("S-%02d", i))
				wantName(t, db, elsewhere, fmt.Sprintf("S-%02d", i))
			}
		}
		if n, err := k.RewrapBatch(t.Context(), db, limit); n != 0 || err != nil {
			t.Errorf("nothing left: re-wrapped %d, %v", n, err)
		}
		if counts := wrappedWith(t, db); counts[primary] != accounts+2 || len(counts) != 1 || primary == first {
			t.Errorf("accounts by key: %v, the primary is %d", counts, primary)
		}
		if id, ok := wrappedBy(instanceRow(t, db).dataKey); !ok || int64(id) != primary {
			t.Errorf("the instance's data key is wrapped by %d, the primary is %d", id, primary)
		}
		restarted := attach(t, db, d)
		if got, err := restarted.Instance().Open(here, sealed); err != nil || string(got) != "hello" {
			t.Errorf("after a restart: %q, %v", got, err)
		}
		for _, id := range []string{"S-00", "S-late", "S-new"} {
			wantName(t, db, restarted, id)
		}
	})
}

// A process that has not heard of a rotation must not wrap back to the key that was rotated away.
func TestRewrapBatchReadsTheNewestKeys(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		k := attach(t, db, d)
		behind := attach(t, db, d)
		addAccount(t, db, k, "S-1")
		primary := rotate(t, k)
		for range 2 {
			if _, err := behind.RewrapBatch(t.Context(), db, 10); err != nil {
				t.Fatal(err)
			}
			if counts := wrappedWith(t, db); counts[primary] != 1 {
				t.Fatalf("accounts by key: %v, the primary is %d", counts, primary)
			}
		}
	})
}

func TestReadersDuringRewrap(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		k := attach(t, db, testFolder(t))
		const accounts = 20
		for i := range accounts {
			addAccount(t, db, k, fmt.Sprintf("S-%02d", i))
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i = (i + 1) % accounts {
					id := fmt.Sprintf("S-%02d", i)
					if got, err := nameOf(t.Context(), db, k, id); err != nil || got != "name of "+id {
						t.Errorf("account %s: %q, %v", id, got, err)
						return
					}
				}
			})
		}
		for range 3 {
			rotate(t, k)
			for n := 1; n > 0; {
				var err error
				if n, err = k.RewrapBatch(t.Context(), db, 3); err != nil {
					t.Error(err)
				}
			}
		}
		stop()
		wg.Wait()
	})
}

func TestRewrapBatchPassesOverADamagedKey(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		k := attach(t, db, testFolder(t))
		for _, id := range []string{"S-1", "S-2", "S-3"} {
			addAccount(t, db, k, id)
		}
		old := k.keys.Load().primary
		damaged := []byte{1, byte(old >> 24), byte(old >> 16), byte(old >> 8), byte(old), 0}
		exec(t, db, `UPDATE account SET data_key = $1 WHERE account_id = 'S-2'`, damaged)
		rotate(t, k)
		n, err := k.RewrapBatch(t.Context(), db, 10)
		if n != 2 || !errors.Is(err, ErrOpen) {
			t.Errorf("re-wrapped %d, %v", n, err)
		}
		wantName(t, db, k, "S-1")
		wantName(t, db, k, "S-3")
	})
}

func TestRotationsAtOnceLoseNoKey(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		k := attach(t, db, d)
		processes := make([]*Keyring, 6)
		var wg sync.WaitGroup
		for i := range processes {
			processes[i] = attach(t, db, d)
			wg.Go(func() {
				if err := processes[i].Rotate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i, process := range processes {
			id := fmt.Sprintf("S-%d", i)
			addAccount(t, db, process, id) // with a primary that the last rotation must not have lost
			wantName(t, db, k, id)
		}
		if got := len(k.keys.Load().ids); got != len(processes)+1 {
			t.Errorf("%d wrapping keys, want %d", got, len(processes)+1)
		}
	})
}

// An operator puts back a backup from before the rotation.
func TestKeysFromBeforeARotation(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		k := attach(t, db, d)
		behind := attach(t, db, d)
		addAccount(t, db, k, "S-1")
		backup, err := os.ReadFile(d.path())
		if err != nil {
			t.Fatal(err)
		}
		rotate(t, k)
		if _, err := k.RewrapBatch(t.Context(), db, 10); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.path(), backup, 0o600); err != nil {
			t.Fatal(err)
		}

		_, _, err = Attach(t.Context(), db, Options{Dir: string(d)})
		wantFault(t, err, "keyset-outdated")
		_, err = nameOf(t.Context(), db, behind, "S-1")
		wantFault(t, err, "keyset-outdated")
		_, err = k.RewrapBatch(t.Context(), db, 10)
		wantFault(t, err, "keyset-outdated")
		wantFault(t, k.Rotate(t.Context()), "keyset-outdated")
		wantName(t, db, k, "S-1") // the running process still has the key
		if content, err := os.ReadFile(d.path()); err != nil || !bytes.Equal(content, backup) {
			t.Error("the file was changed")
		}
	})
}

// The file is swapped for another database's, or lost, under a running process.
func TestReloadRefusesOtherKeys(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		d := testFolder(t)
		k := attach(t, db, d)
		if err := d.write(madeKeys(t)); err != nil {
			t.Fatal(err)
		}
		wantFault(t, k.Rotate(t.Context()), "keyset-wrong")
		if err := os.Remove(d.path()); err != nil {
			t.Fatal(err)
		}
		wantFault(t, k.Rotate(t.Context()), "keyset-missing")
		_, err := k.RewrapBatch(t.Context(), db, 10)
		wantFault(t, err, "keyset-missing")
	})
}

// With the keys in a setting, rotating means a new setting: what the file of one node became after Rotate.
func TestRewrapAfterTheSettingChanged(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		before := madeKeys(t)
		after, err := before.rotated()
		if err != nil {
			t.Fatal(err)
		}
		old, _, err := Attach(t.Context(), db, Options{Keyset: string(printed(t, before))})
		if err != nil {
			t.Fatal(err)
		}
		addAccount(t, db, old, "S-1")
		k, _, err := Attach(t.Context(), db, Options{Keyset: string(printed(t, after))})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := k.RewrapBatch(t.Context(), db, 10); n != 1 || err != nil {
			t.Errorf("re-wrapped %d, %v", n, err)
		}
		wantName(t, db, k, "S-1")
		_, err = nameOf(t.Context(), db, old, "S-1")
		wantFault(t, err, "keyset-outdated")
	})
}
