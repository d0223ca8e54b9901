package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// Options wire an Importer. DB, Accounts and Contacts are required.
type Options struct {
	DB       *store.DB
	Accounts *account.Accounts
	Contacts *contact.Contacts
	// Batch is how many rows are written in a transaction; 0 means 250. On SQLite others wait while one is written.
	Batch int
	// Actor is who imports, as events name it; "" means event.CLI.
	Actor string
	// Dir is the folder for a temporary file of 50 to 200 bytes an account; "" means the system's.
	Dir string
	// Log gets what kept the database from taking a row; nil discards it.
	Log *slog.Logger
}

// Format is the form of a file.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// Importer brings files in. It holds no state and is safe for concurrent use.
type Importer struct {
	o Options
}

// New returns an Importer over o.
func New(o Options) *Importer {
	if o.Batch <= 0 {
		o.Batch = 250
	}
	if o.Actor == "" {
		o.Actor = event.CLI
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Importer{o: o}
}

// Result is what became of a file: the rows it had, those that made or changed something, those that found everything as they say,
// and those that were bad.
type Result struct {
	Rows      int
	Imported  int
	Unchanged int
	Bad       int
	Elapsed   time.Duration
}

// Progress is the result so far.
type Progress = Result

// Import brings the rows of r in. What is wrong with bad ones goes to bad (which may be nil) as CSV with a header line: line, field,
// id and text in the language of locale; nothing is written to it when there are none. progress may be nil; it is called after each
// batch.
//
// After an error the result tells what went in before it; a fault concerns the whole file and says that nothing did.
//
// Events: import.finished with the numbers of rows, after those of accounts and contacts.
//
// Faults: Invalid "import-encoding", "import-empty", "import-header", "missing-column", "unknown-column",
// "import-column-twice". The fields of the last three are columns.
func (im *Importer) Import(ctx context.Context, r io.Reader, format Format, bad io.Writer, locale i18n.Locale,
	progress func(Progress),
) (Result, error) {
	src, err := open(r, format)
	if err != nil {
		return Result{}, err
	}
	seen, err := newSeen(im.o.Dir)
	if err != nil {
		return Result{}, err
	}
	run := &run{im: im, source: src, seen: seen, bad: newBadRows(bad, locale), started: time.Now()}
	err = run.all(ctx, progress)
	if err == nil {
		err = run.finish(ctx)
	}
	run.result.Elapsed = time.Since(run.started)
	return run.result, errors.Join(err, seen.close())
}

// open reads as much of the file as tells what is in it.
func open(r io.Reader, format Format) (source, error) {
	w := newWindow(r)
	if w.skipMark() {
		return nil, fault.New(fault.Invalid, "import-encoding")
	}
	switch format {
	case CSV:
		return newCSV(w)
	case NDJSON:
		return &ndjsonSource{w}, nil
	}
	return nil, fmt.Errorf("importer: there is no format %q", format)
}

// run is one import under way.
type run struct {
	im      *Importer
	source  source
	seen    *seen
	bad     *badRows
	started time.Time
	result  Result
}

func (run *run) db() *store.DB { return run.im.o.DB }

// all reads and writes batch by batch.
func (run *run) all(ctx context.Context, progress func(Progress)) error {
	for {
		batch, readErr := run.read()
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return readErr
		}
		if err := run.take(ctx, batch); err != nil {
			return err
		}
		if progress != nil && len(batch) > 0 {
			run.result.Elapsed = time.Since(run.started)
			progress(run.result)
		}
		if readErr != nil {
			return nil
		}
	}
}

// maxBatch bounds the values of a batch in memory, in bytes.
const maxBatch = 4 << 20

// read returns the next rows, bad ones among them; with io.EOF they are the last.
func (run *run) read() (batch []*row, err error) {
	for size := 0; len(batch) < run.im.o.Batch && size < maxBatch; {
		rec, err := run.source.next()
		if err != nil {
			return batch, err
		}
		r := rec.row()
		if err := run.claim(&r); err != nil {
			return nil, err
		}
		size += r.size()
		batch = append(batch, &r)
	}
	return batch, nil
}

// claim notes the row's account, if the row could be read so far, and finds the one that stood on an earlier line.
func (run *run) claim(r *row) error {
	if r.account.ID == "" {
		return nil
	}
	before, err := run.seen.claim(r.account.ID, r.line)
	if before != 0 {
		r.problems = append(r.problems, fault.New(fault.Invalid, "import-duplicate", strconv.Itoa(before)).At(accountColumn.String()))
	}
	return err
}

// take writes the good rows of a batch, then the problems of the others in the order of their lines.
func (run *run) take(ctx context.Context, batch []*row) error {
	var good []*row
	for _, r := range batch {
		if len(r.problems) == 0 {
			good = append(good, r)
		}
	}
	outcomes, err := run.write(ctx, good)
	for i, out := range outcomes {
		switch {
		case out.problem != nil:
			good[i].problems = []*fault.Error{out.problem}
		case out.changed:
			run.result.Imported++
		default:
			run.result.Unchanged++
		}
	}
	if err != nil {
		return err
	}
	return run.report(batch)
}

func (run *run) report(batch []*row) error {
	run.result.Rows += len(batch)
	for _, r := range batch {
		if len(r.problems) == 0 {
			continue
		}
		run.result.Bad++
		if err := run.bad.add(r); err != nil {
			return err
		}
	}
	return run.bad.flush()
}

// finish says that the file is in.
func (run *run) finish(ctx context.Context) error {
	return run.db().Write(ctx, func(tx *store.Tx) error {
		n := run.result
		event.Append(tx, event.Event{
			Type: "import.finished", Subject: store.NewID(tx.Now()), Actor: run.im.o.Actor,
			Body: map[string]any{"rows": n.Rows, "imported": n.Imported, "unchanged": n.Unchanged, "bad": n.Bad},
		})
		return nil
	})
}
