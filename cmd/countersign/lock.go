package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"countersign.dev/base/fault"
)

// lockData keeps a second service from the same embedded database: each would send what the other has under way.
// The lock ends with the process, however that ends.
func lockData(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fault.New(fault.Conflict, "data-in-use"), f.Close())
	}
	return f, nil
}

// addressInUse tells whether a listener failed because another process has the port.
func addressInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
