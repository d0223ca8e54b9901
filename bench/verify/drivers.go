package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // the driver
)

// barePostgres sends a transaction as one pipeline: as few round trips as there can be.
type barePostgres struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, url string, conns int) (database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(conns)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return barePostgres{pool}, err
}

func (p barePostgres) do(ctx context.Context, t transaction) (err error) {
	var batch pgx.Batch
	batch.Queue("begin")
	if t.relaxed {
		batch.Queue("SET LOCAL synchronous_commit TO off")
	}
	for _, c := range t.calls {
		batch.Queue(c.sql, c.args...)
	}
	batch.Queue("commit")
	results := p.pool.SendBatch(ctx, &batch)
	for range batch.Len() {
		if _, err := results.Exec(); err != nil {
			return errors.Join(err, results.Close())
		}
	}
	return results.Close()
}

func (p barePostgres) close() { p.pool.Close() }

// bareSQLite has one connection that writes, with a sync at every commit.
type bareSQLite struct {
	db     *sql.DB
	writer chan *liteConn
}

func openSQLite(ctx context.Context, url string, _ int) (database, error) {
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=secure_delete(ON)&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(2000)")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	l := bareSQLite{db: db, writer: make(chan *liteConn, 1)}
	l.writer <- &liteConn{conn: conn, stmts: map[string]*sql.Stmt{}}
	return l, nil
}

func (l bareSQLite) do(ctx context.Context, t transaction) error {
	ctx = context.WithoutCancel(ctx) // one that can end costs a goroutine for each statement
	c := <-l.writer
	defer func() { l.writer <- c }()
	if err := c.one(ctx, call{sql: "BEGIN IMMEDIATE"}); err != nil {
		return err
	}
	if err := c.all(ctx, t.calls); err != nil {
		return errors.Join(err, c.one(ctx, call{sql: "ROLLBACK"}))
	}
	return c.one(ctx, call{sql: "COMMIT"})
}

func (l bareSQLite) close() { l.db.Close() }

// liteConn is a connection with the statements that were run on it.
type liteConn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (c *liteConn) all(ctx context.Context, calls []call) error {
	for _, one := range calls {
		if err := c.one(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// one runs a statement, prepared at its first use, and reads what it returns.
func (c *liteConn) one(ctx context.Context, one call) error {
	stmt := c.stmts[one.sql]
	if stmt == nil {
		prepared, err := c.conn.PrepareContext(ctx, one.sql)
		if err != nil {
			return err
		}
		stmt, c.stmts[one.sql] = prepared, prepared
	}
	rows, err := stmt.QueryContext(ctx, one.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
