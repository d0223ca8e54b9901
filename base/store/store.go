package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/riverqueue/river"
)

// Engine names a kind of database.
type Engine string

// The two engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// maxRuns bounds how often one Write runs its function.
const maxRuns = 5

// Options says which database to open.
type Options struct {
	// URL is "sqlite:PATH" or "postgres://…".
	URL string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log gets warnings; nil discards them.
	Log *slog.Logger
	// MaxConns is the size of PostgreSQL's pool, or the number of SQLite's readers; 0 means a default (16, 8).
	MaxConns int
}

// DB is an open database, safe for use by several goroutines.
type DB struct {
	engine     engine
	name       Engine
	now        func() time.Time
	log        *slog.Logger
	migrations fs.FS
	jobs       *Jobs
}

// engine is what differs between SQLite and PostgreSQL.
type engine interface {
	begin(ctx context.Context, m mode) (session, error)
	reader(ctx context.Context) (session, error)
	explain(ctx context.Context, sql string, args []any) (string, error)
	checkpoint(ctx context.Context) error
	tableExists(name string) string // a query of one BOOLEAN
	migrate(ctx context.Context, files fs.FS, log *slog.Logger) error
	newestJobSchema() (int, error)
	jobClient(cfg *river.Config) (jobClient, error)
	close() error
}

// session runs statements: in one transaction until commit or rollback, or, for a reader, each by itself. It is used
// by one goroutine at a time, and not with a statement while a cursor is open.
type session interface {
	exec(sql string, args []any) (int64, error)
	query(sql string, args []any) (cursor, error)
	later(sql string, args []any) error
	enqueue(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error
	commit() error
	rollback()
}

// cursor is a result being read.
type cursor interface {
	next() bool
	scan(dest []any) error
	close() error
}

// Open connects to the database. It refuses one whose schema is newer than this program's with the fault
// "database-newer", and does not migrate an older one.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := &DB{now: o.Now, log: o.Log, migrations: embedded()}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	db.jobs = newJobs(db)
	var err error
	switch path, sqlite := strings.CutPrefix(o.URL, "sqlite:"); {
	case sqlite:
		db.name = SQLite
		db.engine, err = openSQLite(path, o.MaxConns)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		db.name = PostgreSQL
		db.engine, err = openPostgres(ctx, o.URL, o.MaxConns)
	default:
		return nil, errors.New(`store: the database URL starts with neither "sqlite:" nor "postgres://"`)
	}
	if err != nil {
		return nil, err
	}
	if err := db.refuseNewer(ctx); err != nil {
		return nil, errors.Join(err, db.engine.close())
	}
	return db, nil
}

// Close waits for the transactions in progress and closes all connections.
func (db *DB) Close() error { return db.engine.close() }

// Engine says which kind of database this is.
func (db *DB) Engine() Engine { return db.name }

// Now is the current time in UTC, in whole microseconds as it is stored.
func (db *DB) Now() time.Time { return db.now().UTC().Truncate(time.Microsecond) }

// Ping asks the database for an answer.
func (db *DB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(tx *Tx) error {
		var one int64
		return tx.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// Checkpoint moves what SQLite keeps in its write-ahead log into the database file and empties the log, so that
// erased data is gone from the disk. On PostgreSQL it does nothing.
func (db *DB) Checkpoint(ctx context.Context) error { return db.engine.checkpoint(ctx) }

// Explain returns the engine's plan for a statement, as text, for tests of plans. It avoids sequential scans where
// PostgreSQL lets it, so that a small table shows whether an index can serve.
func (db *DB) Explain(ctx context.Context, sql string, args ...any) (string, error) {
	return db.engine.explain(ctx, sql, args)
}

// Read runs fn over a connection on which each statement sees the newest committed state by itself. Statements that
// write are refused.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	s, err := db.engine.reader(ctx)
	if err != nil {
		return err
	}
	tx := &Tx{db: db, session: s, now: db.Now(), count: counting(ctx), readOnly: true}
	defer func() {
		tx.closeRows()
		s.rollback()
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.err
}

// Write runs fn in one read-write transaction and commits it. fn may run again after a serialisation failure, a
// deadlock, a busy database or a unique violation of a deferred insert, so it must have no effect but on tx and on
// variables that it sets anew at its start. A panic in fn rolls back and goes on to the caller.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	return db.write(ctx, fn, durable)
}

// WriteRelaxed is Write for what is simply done again when it is lost: on PostgreSQL the commit does not wait for the
// disk, and a server that dies within the next second may have forgotten it. What was answered to anybody outside is
// never written so. On SQLite it is Write.
func (db *DB) WriteRelaxed(ctx context.Context, fn func(tx *Tx) error) error {
	return db.write(ctx, fn, relaxed)
}

// WriteRow is a Write of one statement that returns a row: on PostgreSQL it takes one round trip. It returns ErrNoRows
// when the statement changed nothing.
func (db *DB) WriteRow(ctx context.Context, sql string, args []any, dest ...any) error {
	return db.write(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, sql, args...).Scan(dest...) }, single)
}

// mode is how a transaction commits.
type mode int

const (
	durable mode = iota
	relaxed      // without waiting for the disk
	single       // with its one statement
)

func (db *DB) write(ctx context.Context, fn func(tx *Tx) error, m mode) error {
	for run := 1; ; run++ {
		again, err := db.writeOnce(ctx, fn, m)
		if err == nil || !again {
			return err
		}
		if run == maxRuns || !backOff(ctx, run) {
			return exhausted(err)
		}
	}
}

// writeOnce is one run of Write; again says that another may succeed.
func (db *DB) writeOnce(ctx context.Context, fn func(tx *Tx) error, m mode) (again bool, err error) {
	s, err := db.engine.begin(ctx, m)
	if err != nil {
		return retryable(err), err
	}
	tx := &Tx{db: db, session: s, now: db.Now(), count: counting(ctx)}
	ended, committed := false, false
	defer func() {
		if !ended { // by an error, a panic, or a test that ended its goroutine
			tx.closeRows()
			s.rollback()
		}
		if !committed {
			tx.undone()
		}
	}()
	if err = fn(tx); err == nil {
		err = tx.finish()
	}
	if err == nil {
		ended = true
		err = tx.failed(s.commit())
	}
	if err != nil {
		return retryable(tx.err), err
	}
	committed = true
	tx.committed()
	return false, nil
}

// backOff waits a few random milliseconds before another run; false when the context ended.
func backOff(ctx context.Context, run int) bool {
	t := time.NewTimer(rand.N(time.Millisecond << (2 * run))) //nolint:gosec // when to try again is no secret
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
