package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/riverqueue/river"
	sqlite3 "modernc.org/sqlite/lib"
)

// checkpointRuns bounds how often a checkpoint that was asked for is tried.
const checkpointRuns = 20

// busyTimeout is how long SQLite waits for another process that writes.
const busyTimeout = "PRAGMA busy_timeout(10000)"

// pragmas of every connection; busy_timeout is first so that the others wait too.
var pragmas = []string{
	"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(ON)",
	"temp_store(MEMORY)", "cache_size(-16000)",
}

// lite is SQLite: one connection that writes and a few that read.
type lite struct {
	writer  *writer
	readers chan *liteConn // nil stands for one that is not open yet
	closed  chan struct{}
	dsn     string
	shared  *sql.DB // the writing connection for River and goose
	jobs    jobClient
}

func openSQLite(path string, readers int) (*lite, error) {
	if path == "" {
		return nil, errors.New("store: the database URL names no file")
	}
	if err := private(path); err != nil {
		return nil, err
	}
	l := &lite{closed: make(chan struct{}), dsn: liteDSN(path, "wal_autocheckpoint(2000)")}
	conn, err := openLite(l.dsn)
	if err != nil {
		return nil, fmt.Errorf("store: opening the database: %w", err)
	}
	l.writer = &writer{conn: conn, log: path + "-wal"}
	l.dsn = liteDSN(path, "query_only(1)")
	if readers <= 0 {
		readers = 8
	}
	l.readers = make(chan *liteConn, readers)
	for range readers {
		l.readers <- nil
	}
	l.shared = sql.OpenDB(sharedConnector{l.writer})
	if l.jobs, err = l.jobClient(&river.Config{}); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// private makes the file for its owner alone; SQLite gives its two companions the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("store: opening the database: %w", err)
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func liteDSN(path string, more ...string) string {
	q := url.Values{"_pragma": append(append([]string(nil), pragmas...), more...)}
	file := (&url.URL{Path: path}).EscapedPath()
	return "file:" + file + "?" + q.Encode()
}

func (l *lite) begin(ctx context.Context, _ mode) (session, error) {
	t, err := l.writer.begin(ctx)
	if err != nil {
		return nil, err
	}
	return &liteTx{turn: t, l: l}, nil
}

func (l *lite) reader(ctx context.Context) (session, error) {
	select {
	case c := <-l.readers:
		if c != nil {
			return &liteReader{liteConn: c, l: l}, nil
		}
		c, err := openLite(l.dsn)
		if err != nil {
			l.readers <- nil
			return nil, err
		}
		return &liteReader{liteConn: c, l: l}, nil
	case <-l.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *lite) tableExists(name string) string {
	return "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '" + name + "')"
}

// checkpoint tries again while readers are in the way, and lets others write meanwhile.
func (l *lite) checkpoint(ctx context.Context) error {
	for run := 1; ; run++ {
		if err := l.writer.settle(ctx); err != nil {
			return err
		}
		err := l.writer.emptyLog()
		l.writer.release()
		if !errors.Is(err, errReaders) || run == checkpointRuns || !backOff(ctx, maxRuns) {
			return err
		}
	}
}

func (l *lite) explain(ctx context.Context, query string, args []any) (string, error) {
	s, err := l.reader(ctx)
	if err != nil {
		return "", err
	}
	defer s.rollback()
	// Explaining alone would not notice that the statistics have changed since this reader looked last.
	if _, err := s.exec("SELECT COUNT(*) FROM sqlite_schema", nil); err != nil {
		return "", err
	}
	c, err := s.query("EXPLAIN QUERY PLAN "+query, args)
	if err != nil {
		return "", err
	}
	var plan strings.Builder
	for c.next() {
		var id, parent, unused int64
		var detail string
		if err := c.scan([]any{&id, &parent, &unused, &detail}); err != nil {
			return "", errors.Join(err, c.close())
		}
		plan.WriteString(detail + "\n")
	}
	return plan.String(), c.close()
}

func (l *lite) close() error {
	w := l.writer
	if err := w.settle(context.Background()); err != nil {
		return nil // closed before
	}
	close(l.closed)
	_ = l.shared.Close()
	for range cap(l.readers) {
		if c := <-l.readers; c != nil {
			_ = c.Close()
		}
	}
	err := w.conn.Close()
	w.conn = nil
	w.release()
	return err
}

// liteReader is one of the reading connections.
type liteReader struct {
	*liteConn
	l *lite
}

func (r *liteReader) later(string, []any) error { return errReadOnly }

func (r *liteReader) enqueue(context.Context, river.JobArgs, *river.InsertOpts) error {
	return errReadOnly
}

func (r *liteReader) commit() error { return errReadOnly }
func (r *liteReader) rollback()     { r.l.readers <- r.liteConn }

// liteTx is a transaction on the writing connection.
type liteTx struct {
	*turn
	l *lite
}

func (t *liteTx) exec(sql string, args []any) (int64, error) {
	n, err := t.w.conn.exec(sql, args)
	return n, t.note(err)
}

func (t *liteTx) query(sql string, args []any) (cursor, error) {
	c, err := t.w.conn.query(sql, args)
	return c, t.note(err)
}

func (t *liteTx) later(sql string, args []any) error {
	_, err := t.exec(sql, args)
	return err
}

func (t *liteTx) enqueue(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
	tx, err := t.l.shared.BeginTx(withTurn(ctx, t.turn), nil)
	if err != nil {
		return err
	}
	err = t.l.jobs.insert(ctx, tx, args, opts)
	return errors.Join(err, tx.Rollback()) // which only gives the borrowed turn back
}

// note remembers an error after which SQLite may have rolled back the whole transaction.
func (t *turn) note(err error) error {
	if err == nil {
		return nil
	}
	switch code := liteCode(err); code & 0xff {
	case 0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE,
		sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_SCHEMA:
	default:
		t.lost = err
	}
	return err
}
