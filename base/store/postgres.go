package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"countersign.dev/base/fault"
)

// statementLimit bounds one statement on PostgreSQL; the connection is given up a little later.
const statementLimit = 30 * time.Second

// postgres is PostgreSQL through one pool.
type postgres struct {
	pool *pgxpool.Pool
	jobs jobClient
}

func openPostgres(ctx context.Context, url string, conns int) (*postgres, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("store: the database URL is malformed") // the cause would show the password
	}
	if conns <= 0 {
		conns = 16
	}
	cfg.MaxConns = int32(conns)
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	cfg.AfterConnect = settle
	p := new(postgres)
	if p.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, err
	}
	if err = p.pool.Ping(ctx); err == nil {
		p.jobs, err = p.jobClient(&river.Config{})
	}
	if err != nil {
		p.pool.Close()
		return nil, fmt.Errorf("store: connecting to the database: %w", err)
	}
	return p, nil
}

// settle prepares a new connection, so that whatever the server's defaults are a commit is durable and nothing hangs.
func settle(ctx context.Context, c *pgx.Conn) error {
	set := fmt.Sprintf(`SET synchronous_commit = on; SET timezone = 'UTC'; SET application_name = 'countersign';
		SET statement_timeout = %d; SET idle_in_transaction_session_timeout = %[1]d`, statementLimit.Milliseconds())
	_, err := c.PgConn().Exec(ctx, set).ReadAll()
	return err
}

// acquire takes a connection out of the pool; without one the service is not available.
func (p *postgres) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	c, err := p.pool.Acquire(ctx)
	if err != nil && ctx.Err() == nil {
		err = fault.New(fault.Unavailable, "unavailable").Because(err)
	}
	return c, err
}

func (p *postgres) begin(ctx context.Context, m mode) (session, error) {
	c, err := p.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &pgTx{p: p, pooled: c, conn: c.Conn(), mode: m}, nil
}

func (p *postgres) reader(ctx context.Context) (session, error) {
	c, err := p.acquire(ctx)
	if err != nil {
		return nil, err
	}
	r := &pgReader{ctx: ctx, pooled: c, conn: c.Conn()}
	r.stop = context.AfterFunc(ctx, func() { _ = r.conn.PgConn().Conn().SetDeadline(time.Unix(1, 0)) })
	return r, nil
}

func (p *postgres) tableExists(name string) string {
	return "SELECT to_regclass('" + name + "') IS NOT NULL"
}

func (p *postgres) checkpoint(context.Context) error { return nil }

func (p *postgres) explain(ctx context.Context, sql string, args []any) (string, error) {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
		return "", err
	}
	rows, err := tx.Query(ctx, "EXPLAIN "+sql, args...)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n") + "\n", err
}

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

// extend gives a connection the time for one more statement. No context is passed to the driver, which would start a
// goroutine for each statement to watch it.
func extend(c *pgx.Conn) {
	_ = c.PgConn().Conn().SetDeadline(time.Now().Add(statementLimit + 5*time.Second))
}

// release gives a connection back with no time limit on it.
func release(c *pgxpool.Conn) {
	_ = c.Conn().PgConn().Conn().SetDeadline(time.Time{})
	c.Release()
}

// pgReader runs each statement by itself. When the caller's context ends, so does the connection.
type pgReader struct {
	ctx    context.Context
	pooled *pgxpool.Conn
	conn   *pgx.Conn
	stop   func() bool
}

func (r *pgReader) exec(string, []any) (int64, error) { return 0, errReadOnly }
func (r *pgReader) later(string, []any) error         { return errReadOnly }

func (r *pgReader) enqueue(context.Context, river.JobArgs, *river.InsertOpts) error {
	return errReadOnly
}

func (r *pgReader) query(sql string, args []any) (cursor, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	extend(r.conn)
	rows, err := r.conn.Query(context.Background(), sql, args...)
	if err != nil {
		return nil, err
	}
	return pgCursor{rows: rows}, nil
}

func (r *pgReader) commit() error { return errReadOnly }

func (r *pgReader) rollback() {
	if !r.stop() { // the deadline is being set, or was
		_ = r.conn.Close(context.Background())
	}
	release(r.pooled)
}

// pgCursor reads a result, and then what follows it in the pipeline.
type pgCursor struct {
	rows  pgx.Rows
	batch pgx.BatchResults // nil outside a pipeline
}

func (c pgCursor) next() bool            { return c.rows.Next() }
func (c pgCursor) scan(dest []any) error { return c.rows.Scan(dest...) }

func (c pgCursor) close() error {
	c.rows.Close()
	err := c.rows.Err()
	if c.batch != nil {
		if err2 := c.batch.Close(); err == nil {
			err = err2
		}
	}
	return err
}
