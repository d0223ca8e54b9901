package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/i18n"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/bench/rig"
	"countersign.dev/contact"
	"countersign.dev/importer"
)

// result is one import and the bare writing of the same rows.
type result struct {
	engine         string
	rows           int
	took, bare     time.Duration
	cpu, serverCPU time.Duration // of the import, in this process and in PostgreSQL
	peak           int64         // the most memory during the import, in bytes
}

func (r result) perSecond(took time.Duration) float64 { return float64(r.rows) / took.Seconds() }

func (r result) perRow(cpu time.Duration) int64 { return cpu.Microseconds() / int64(r.rows) }

// measure imports so many rows into a new database, then copies what is there.
func measure(ctx context.Context, p *place, rows, batch int) (r result, err error) {
	r = result{engine: p.engine, rows: rows}
	db, err := p.database(ctx, "bench_import")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := r.load(ctx, p, db, batch); err != nil {
		return r, err
	}
	r.bare, err = copyRows(ctx, p, db)
	return r, err
}

// load runs the import and notes what it cost.
func (r *result) load(ctx context.Context, p *place, db *store.DB, batch int) error {
	im, err := newImporter(ctx, p, db, batch)
	if err != nil {
		return err
	}
	if err := forgetPeak(); err != nil {
		return err
	}
	cpu, serverCPU, err := p.cpu()
	if err != nil {
		return err
	}
	res, err := im.Import(ctx, newFile(r.rows), importer.CSV, os.Stderr, i18n.En, nil)
	if err != nil {
		return err
	}
	if res.Imported != r.rows {
		return fmt.Errorf("of %d rows %d went in", r.rows, res.Imported)
	}
	r.took = res.Elapsed
	r.cpu, r.serverCPU, err = p.cpu()
	r.cpu, r.serverCPU = r.cpu-cpu, r.serverCPU-serverCPU
	if err != nil {
		return err
	}
	r.peak, err = peak()
	return err
}

func newImporter(ctx context.Context, p *place, db *store.DB, batch int) (*importer.Importer, error) {
	dir, err := os.MkdirTemp(p.dir, "keys-")
	if err != nil {
		return nil, err
	}
	keys, _, err := seal.Attach(ctx, db, seal.Options{Dir: filepath.Join(dir, "keys")})
	if err != nil {
		return nil, err
	}
	accounts := account.New(account.Options{Keys: keys})
	contacts := contact.New(contact.Options{Keys: keys, Accounts: accounts})
	return importer.New(importer.Options{DB: db, Accounts: accounts, Contacts: contacts, Batch: batch, Dir: p.dir}), nil
}

// cpu is the time that this process and the server have used so far.
func (p *place) cpu() (own, server time.Duration, err error) {
	if own, err = rig.CPU(os.Getpid()); err != nil || p.postmaster == 0 {
		return own, 0, err
	}
	server, err = rig.FamilyCPU(p.postmaster)
	return own, server, err
}

// forgetPeak has the peak of memory counted anew, see clear_refs in proc(5).
func forgetPeak() error {
	debug.FreeOSMemory()
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// peak is the most memory that this process had since, in bytes.
func peak() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _, found := strings.Cut(strings.TrimSpace(after), " kB")
	if !found {
		return 0, errors.New("/proc/self/status has no VmHWM")
	}
	n, err := strconv.ParseInt(kib, 10, 64)
	return n << 10, err
}
