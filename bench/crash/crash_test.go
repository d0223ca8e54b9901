package main

import (
	"testing"

	"countersign.dev/apptest"
	"countersign.dev/base/store"
	"countersign.dev/bench/rig"
)

// The command does the same with fifty.
func TestNothingAcceptedIsLostInThreeCrashes(t *testing.T) {
	program, err := rig.Build(t.Context(), t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range []store.Engine{store.SQLite, store.PostgreSQL} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			run := trial{Program: program, Dir: t.TempDir(), Database: apptest.URL(t, engine), Kills: 3, Workers: 6}
			found, err := run.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", found)
			for _, b := range found.breaches {
				t.Error(b)
			}
			if found.verified == 0 {
				t.Error("nothing was verified")
			}
		})
	}
}
