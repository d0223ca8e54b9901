package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"countersign.dev/base/fault"
)

func testFolder(t *testing.T) folder { return folder(filepath.Join(t.TempDir(), "data", "keys")) }

func create(t *testing.T, d folder) *keys {
	t.Helper()
	k, created, err := d.readOrCreate()
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	return k
}

func TestKeysetFileIsPrivate(t *testing.T) {
	d := testFolder(t)
	create(t, d)
	for path, want := range map[string]os.FileMode{d.path(): 0o600, string(d): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %03o, want %03o", filepath.Base(path), got, want)
		}
	}
}

func TestKeysetPermissions(t *testing.T) {
	tests := []struct {
		name      string
		file, dir os.FileMode
		fault     string
	}{
		{"as made", 0o600, 0o700, ""},
		{"read-only", 0o400, 0o500, ""},
		{"folder that others can list", 0o600, 0o755, ""},
		{"file that the group reads", 0o640, 0o700, "keyset-permissions"},
		{"file that all read", 0o604, 0o700, "keyset-permissions"},
		{"file that the group writes", 0o620, 0o700, "keyset-permissions"},
		{"folder that the group writes", 0o600, 0o770, "keyset-permissions"},
		{"folder that all write", 0o600, 0o702, "keyset-permissions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := testFolder(t)
			create(t, d)
			chmod(t, d.path(), tt.file)
			chmod(t, string(d), tt.dir)
			defer chmod(t, string(d), 0o700) // so that the folder can be removed
			_, err := d.read()
			if tt.fault == "" && err != nil || tt.fault != "" && !fault.Is(err, tt.fault) {
				t.Errorf("got %v, want %q", err, tt.fault)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedKeysetIsNotReplaced(t *testing.T) {
	d := testFolder(t)
	create(t, d)
	damaged := []byte("{")
	if err := os.WriteFile(d.path(), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.readOrCreate(); !fault.Is(err, "keyset-unreadable") {
		t.Errorf("got %v, want keyset-unreadable", err)
	}
	if content, err := os.ReadFile(d.path()); err != nil || !bytes.Equal(content, damaged) {
		t.Error("the damaged file was changed")
	}
}

func TestKeysetFolderThatCannotBeUsed(t *testing.T) {
	tests := []struct {
		name, fault string
		spoil       func(d folder) error
	}{
		{"a file in its place", "keyset-unreadable", func(d folder) error { return os.WriteFile(string(d), nil, 0o600) }},
		{"a link to nowhere", "keyset-unwritable", func(d folder) error { return os.Symlink("nowhere", string(d)) }},
		{"no lock to be had", "keyset-unwritable", func(d folder) error {
			return os.MkdirAll(filepath.Join(string(d), lockName), 0o700)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := folder(filepath.Join(t.TempDir(), "keys"))
			if err := tt.spoil(d); err != nil {
				t.Fatal(err)
			}
			_, created, err := d.readOrCreate()
			if !fault.Is(err, tt.fault) || created {
				t.Errorf("created %v, got %v, want %s", created, err, tt.fault)
			}
		})
	}
}

// Writing leaves the keyset and the lock, and no temporary file.
func TestManyCreateOneKeyset(t *testing.T) {
	d := testFolder(t)
	const processes = 16
	made, fingerprints := make([]bool, processes), make([][]byte, processes)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			k, created, err := d.readOrCreate()
			if err != nil {
				t.Error(err)
				return
			}
			made[i], fingerprints[i] = created, k.fingerprint
		})
	}
	wg.Wait()
	count := 0
	for i := range processes {
		if made[i] {
			count++
		}
		if !bytes.Equal(fingerprints[i], fingerprints[0]) {
			t.Error("two keysets")
		}
	}
	if count != 1 {
		t.Errorf("%d made it, want 1", count)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
