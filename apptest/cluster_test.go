package apptest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestClusterShowsItsFiles(t *testing.T) {
	c := NewCluster(t)
	address, err := c.CreateDatabase(t.Context(), "seen")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range []string{"CREATE TABLE shelf (word TEXT)", "INSERT INTO shelf VALUES ('quincunx')", "CHECKPOINT"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	dump, err := c.Dump(t.Context(), "seen")
	if err != nil || !bytes.Contains(dump, []byte("quincunx")) {
		t.Errorf("the dump has no such word: %v", err)
	}
	for _, pattern := range []string{"base/*/*", "pg_wal/*"} {
		if !anyContains(t, filepath.Join(c.Dir, pattern), "quincunx") {
			t.Errorf("no file %s has the word", pattern)
		}
	}
}

func anyContains(t *testing.T, pattern, word string) bool {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if content, err := os.ReadFile(name); err == nil && bytes.Contains(content, []byte(word)) {
			return true
		}
	}
	return false
}
