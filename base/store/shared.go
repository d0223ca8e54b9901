package store

import (
	"context"
	"database/sql/driver"
	"errors"
)

// sharedConnector gives River and goose, which want a *sql.DB, SQLite's one writing connection. Each statement and
// each transaction of theirs takes its turn as a Write does, and shares its commits; so nobody ever waits for a lock
// inside SQLite.
type sharedConnector struct{ w *writer }

func (c sharedConnector) Connect(context.Context) (driver.Conn, error) {
	return &sharedConn{w: c.w}, nil
}
func (c sharedConnector) Driver() driver.Driver { return nil }

type turnKey struct{}

// withTurn has a transaction that is begun with the context run within the turn, which then ends as its owner says.
func withTurn(ctx context.Context, t *turn) context.Context {
	return context.WithValue(ctx, turnKey{}, t)
}

// sharedConn is database/sql's view of the connection.
type sharedConn struct {
	w        *writer
	turn     *turn // while a transaction is open
	borrowed bool  // the turn belongs to a Write
}

var (
	_ driver.ConnBeginTx    = (*sharedConn)(nil)
	_ driver.ExecerContext  = (*sharedConn)(nil)
	_ driver.QueryerContext = (*sharedConn)(nil)
)

func (c *sharedConn) Close() error { return nil }
func (c *sharedConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *sharedConn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("store: prepared statements are not shared")
}

func (c *sharedConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if t, ok := ctx.Value(turnKey{}).(*turn); ok {
		c.turn, c.borrowed = t, true
		return c, nil
	}
	t, err := c.w.begin(ctx)
	if err != nil {
		return nil, err
	}
	c.turn, c.borrowed = t, false
	return c, nil
}

// Commit and Rollback end the open transaction.
func (c *sharedConn) Commit() error {
	t := c.turn
	c.turn = nil
	if c.borrowed {
		return nil
	}
	return t.commit()
}

func (c *sharedConn) Rollback() error {
	t := c.turn
	c.turn = nil
	if !c.borrowed {
		t.rollback()
	}
	return nil
}

func (c *sharedConn) ExecContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	if c.turn != nil {
		res, err := c.w.conn.Conn.(driver.ExecerContext).ExecContext(context.Background(), sql, args)
		return res, c.turn.note(err)
	}
	tx, err := c.BeginTx(ctx, driver.TxOptions{})
	if err != nil {
		return nil, err
	}
	res, err := c.ExecContext(ctx, sql, args)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return res, tx.Commit()
}

func (c *sharedConn) QueryContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	if c.turn != nil {
		rows, err := c.w.conn.Conn.(driver.QueryerContext).QueryContext(context.Background(), sql, args)
		return rows, c.turn.note(err)
	}
	tx, err := c.BeginTx(ctx, driver.TxOptions{})
	if err != nil {
		return nil, err
	}
	rows, err := c.QueryContext(ctx, sql, args)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return &sharedRows{Rows: rows, tx: tx}, nil
}

// sharedRows commits the transaction of a lone query when it has been read.
type sharedRows struct {
	driver.Rows
	tx driver.Tx
}

func (r *sharedRows) Close() error {
	if err := r.Rows.Close(); err != nil {
		_ = r.tx.Rollback()
		return err
	}
	return r.tx.Commit()
}
