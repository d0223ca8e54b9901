package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// counterSettings have PostgreSQL count statements; BEGIN and COMMIT are none.
var counterSettings = []string{"shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=off"}

// counter counts the statements that are run in one database.
type counter struct {
	conn *pgx.Conn
	idle float64 // what the program runs by itself, a second
	from int64
	sum  int64
}

func openCounter(ctx context.Context, url string) (*counter, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "CREATE EXTENSION pg_stat_statements")
	return &counter{conn: conn}, err
}

func (c *counter) close() error { return c.conn.Close(context.Background()) }

// count is how many statements were run so far, but for these.
func (c *counter) count(ctx context.Context) (n int64, err error) {
	err = c.conn.QueryRow(ctx, `SELECT COALESCE(SUM(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
		WHERE d.datname = current_database() AND query NOT LIKE '%pg_stat_statements%'`).Scan(&n)
	return n, err
}

// begin counts from now on. Before the first time it learns what the program runs while nobody asks it for anything.
func (c *counter) begin(ctx context.Context) (err error) {
	if c.idle == 0 {
		if c.from, err = c.count(ctx); err != nil {
			return err
		}
		time.Sleep(settle)
		if err := c.end(ctx); err != nil {
			return err
		}
		c.idle = float64(c.sum) / settle.Seconds()
	}
	c.from, err = c.count(ctx)
	return err
}

func (c *counter) end(ctx context.Context) error {
	now, err := c.count(ctx)
	c.sum = now - c.from
	return err
}

// perPage is how many statements a page took, without what ran in the background meanwhile.
func (c *counter) perPage(pages int, took time.Duration) float64 {
	return (float64(c.sum) - c.idle*took.Seconds()) / float64(pages)
}
