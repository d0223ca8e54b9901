package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"countersign.dev/base/fault"
)

const (
	keysetName = "keyset.json"
	lockName   = "keyset.lock"
)

// folder is the directory of the keyset file.
type folder string

func (d folder) path() string { return filepath.Join(string(d), keysetName) }

// source is what texts call the keyset.
func (d folder) source() string {
	if d == "" {
		return settingName
	}
	return d.path()
}

// read returns the keyset. Faults: keyset-missing, keyset-unreadable, and keyset-permissions when others on the machine can read it
// or put another one in its place.
func (d folder) read() (*keys, error) {
	f, err := os.Open(d.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Internal, "keyset-missing", d.path())
	}
	if err != nil {
		return nil, unreadable(d.path(), err)
	}
	defer f.Close()
	if err := d.checkModes(f); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, unreadable(d.path(), err)
	}
	k, err := parseKeys(content)
	if err != nil {
		return nil, unreadable(d.path(), err)
	}
	return k, nil
}

func unreadable(where string, err error) error {
	return fault.New(fault.Internal, "keyset-unreadable", where).Because(err)
}

func (d folder) checkModes(f *os.File) error {
	file, err := f.Stat()
	if err != nil {
		return unreadable(d.path(), err)
	}
	dir, err := os.Stat(string(d))
	if err != nil {
		return unreadable(d.path(), err)
	}
	if file.Mode().Perm()&0o077 != 0 {
		return tooOpen(d.path(), file.Mode(), "600")
	}
	if dir.Mode().Perm()&0o022 != 0 {
		return tooOpen(string(d), dir.Mode(), "700")
	}
	return nil
}

func tooOpen(path string, mode fs.FileMode, wanted string) error {
	return fault.New(fault.Internal, "keyset-permissions", path, fmt.Sprintf("%03o", mode.Perm()), wanted)
}

// readOrCreate returns the keyset and makes one if there is none. Of any number of processes that do this at once, one makes it and
// the others read it.
func (d folder) readOrCreate() (k *keys, created bool, err error) {
	if k, err = d.read(); !fault.Is(err, "keyset-missing") {
		return k, false, err
	}
	if err := d.make(); err != nil {
		return nil, false, d.unwritable(err)
	}
	err = d.locked(func() error {
		if k, err = d.read(); !fault.Is(err, "keyset-missing") {
			return err
		}
		if k, err = newKeys(); err != nil {
			return err
		}
		created = true
		return d.write(k)
	})
	return k, created, err
}

func (d folder) unwritable(err error) error {
	return fault.New(fault.Internal, "keyset-unwritable", string(d)).Because(err)
}

// make makes the folder so that it is still there after a crash.
func (d folder) make() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(string(d)))
}

// write puts the keyset in place, so that after a crash there is the old file or the new one. When it returns, the new one is on disk:
// a key must never wrap anything before that.
func (d folder) write(k *keys) error {
	content, err := k.print()
	if err != nil {
		return err
	}
	if err := d.replace(content); err != nil {
		return d.unwritable(err)
	}
	return nil
}

func (d folder) replace(content []byte) error {
	f, err := os.CreateTemp(string(d), keysetName+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), d.path()); err != nil {
		return err
	}
	return syncDir(string(d))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// locked runs fn while no other process changes the file. Two rotations at once would otherwise lose one of the new keys after it had
// wrapped something. The kernel drops the lock when the process ends, however it ends.
func (d folder) locked(fn func() error) error {
	f, err := os.OpenFile(filepath.Join(string(d), lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return d.unwritable(err)
	}
	defer f.Close()
	if err := flock(f); err != nil {
		return d.unwritable(err)
	}
	return fn()
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
