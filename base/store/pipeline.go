package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

var errNotCommitted = errors.New("store: the server rolled back instead of committing")

// pgTx is a transaction on PostgreSQL that spends as few round trips as it can: BEGIN goes out with the first
// statement, and statements whose result nobody waits for go out with the next one or with COMMIT.
type pgTx struct {
	p       *postgres
	pooled  *pgxpool.Conn
	conn    *pgx.Conn
	begun   pgx.Tx // nil before BEGIN was sent
	mode    mode
	waiting []pending
}

type pending struct {
	sql  string
	args []any
}

func (t *pgTx) later(sql string, args []any) error {
	t.waiting = append(t.waiting, pending{sql, args})
	return nil
}

func (t *pgTx) exec(sql string, args []any) (int64, error) {
	extend(t.conn)
	if t.begun != nil && len(t.waiting) == 0 {
		tag, err := t.conn.Exec(context.Background(), sql, args...)
		return tag.RowsAffected(), err
	}
	results, err := t.send(sql, args)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	if err2 := results.Close(); err == nil {
		err = err2
	}
	return tag.RowsAffected(), err
}

func (t *pgTx) query(sql string, args []any) (cursor, error) {
	extend(t.conn)
	if t.begun != nil && len(t.waiting) == 0 || t.mode == single {
		rows, err := t.conn.Query(context.Background(), sql, args...)
		return pgCursor{rows: rows}, err
	}
	results, err := t.send(sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, abandon(results, err)
	}
	return pgCursor{rows: rows, batch: results}, nil
}

// send puts BEGIN if it is due, what waits, and one more statement into one pipeline, and reads the results of all
// but the last. With an error nothing is left to read.
func (t *pgTx) send(sql string, args []any) (pgx.BatchResults, error) {
	var batch pgx.Batch
	begin := t.begun == nil
	if begin {
		batch.BeginTx(pgx.TxOptions{})
		if t.mode == relaxed {
			t.waiting = append([]pending{{sql: "SET LOCAL synchronous_commit TO off"}}, t.waiting...)
		}
	}
	for _, w := range t.waiting {
		batch.Queue(w.sql, w.args...)
	}
	if sql != "" {
		batch.Queue(sql, args...)
	}
	waiting := len(t.waiting)
	t.waiting = nil
	results := t.conn.SendBatch(context.Background(), &batch)
	if begin {
		t.begun = results.Tx()
		if _, err := results.Exec(); err != nil {
			return nil, abandon(results, err)
		}
	}
	for range waiting {
		if _, err := results.Exec(); err != nil {
			return nil, abandon(results, deferred(err))
		}
	}
	return results, nil
}

// abandon reads a failed pipeline to its end, which has nothing to add to the error.
func abandon(results pgx.BatchResults, err error) error {
	_ = results.Close()
	return err
}

// flush sends what waits, and BEGIN if it is due.
func (t *pgTx) flush() error {
	if t.begun != nil && len(t.waiting) == 0 {
		return nil
	}
	extend(t.conn)
	results, err := t.send("", nil)
	if err != nil {
		return err
	}
	return results.Close()
}

func (t *pgTx) enqueue(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
	if err := t.flush(); err != nil {
		return err
	}
	extend(t.conn)
	return t.p.jobs.insert(ctx, t.begun, args, opts)
}

func (t *pgTx) commit() error {
	if t.begun == nil && len(t.waiting) == 0 {
		release(t.pooled)
		return nil
	}
	err := t.sendCommit()
	if err != nil {
		t.rollback()
		return err
	}
	release(t.pooled)
	return nil
}

func (t *pgTx) sendCommit() error {
	extend(t.conn)
	results, err := t.send("commit", nil)
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if err2 := results.Close(); err == nil {
		err = err2
	}
	if err == nil && tag.String() != "COMMIT" {
		err = errNotCommitted
	}
	return err
}

func (t *pgTx) rollback() {
	if t.conn.PgConn().TxStatus() != 'I' && !t.conn.IsClosed() {
		extend(t.conn)
		_, _ = t.conn.Exec(context.Background(), "rollback") // if it fails, the pool drops the connection
	}
	release(t.pooled)
}
