package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	sqlite "modernc.org/sqlite"
)

// maxStatements bounds the prepared statements that one SQLite connection keeps.
const maxStatements = 500

// liteConn is one SQLite connection with its prepared statements. It calls the driver without database/sql, which
// would cost more per statement than many of them do. No context is passed down: interrupting a statement rolls back
// the whole transaction, with the work of everybody who shares it.
type liteConn struct {
	driver.Conn
	statements map[string]statement
	args       []driver.NamedValue
	row        []driver.Value
}

// statement is what the driver's prepared statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func openLite(dsn string) (*liteConn, error) {
	c, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &liteConn{Conn: c, statements: map[string]statement{}}, nil
}

func (c *liteConn) Close() error {
	for _, s := range c.statements {
		_ = s.Close()
	}
	return c.Conn.Close()
}

// prepared returns the statement of a text; to make room it closes any other.
func (c *liteConn) prepared(sql string) (statement, error) {
	if s, ok := c.statements[sql]; ok {
		return s, nil
	}
	s, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	if len(c.statements) >= maxStatements {
		for old, s := range c.statements {
			_ = s.Close()
			delete(c.statements, old)
			break
		}
	}
	c.statements[sql] = s.(statement)
	return c.statements[sql], nil
}

func (c *liteConn) exec(sql string, args []any) (int64, error) {
	s, err := c.prepared(sql)
	if err != nil {
		return 0, err
	}
	values, err := c.bind(args)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(context.Background(), values)
	clear(values)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *liteConn) query(sql string, args []any) (cursor, error) {
	s, err := c.prepared(sql)
	if err != nil {
		return nil, err
	}
	values, err := c.bind(args)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(context.Background(), values)
	clear(values)
	if err != nil {
		return nil, err
	}
	if n := len(rows.Columns()); n > cap(c.row) {
		c.row = make([]driver.Value, n)
	}
	return &liteCursor{rows: rows, row: c.row[:len(rows.Columns())]}, nil
}

// bind gives arguments the driver's form. The slice is used again by the next statement.
func (c *liteConn) bind(args []any) ([]driver.NamedValue, error) {
	c.args = c.args[:0]
	for i, arg := range args {
		v, err := liteValue(arg)
		if err != nil {
			return nil, fmt.Errorf("store: argument %d: %w", i+1, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.args, nil
}

func liteValue(arg any) (driver.Value, error) {
	switch v := arg.(type) {
	case nil, int64, string, bool, float64:
		return v, nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case int:
		return int64(v), nil
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if b, ok := v.([]byte); ok && b == nil {
		return nil, err
	}
	return v, err
}

// liteCursor reads a result; the row's values are valid until the next one.
type liteCursor struct {
	rows driver.Rows
	row  []driver.Value
	err  error
}

func (c *liteCursor) next() bool {
	err := c.rows.Next(c.row)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return err == nil
}

func (c *liteCursor) scan(dest []any) error {
	if len(dest) != len(c.row) {
		return fmt.Errorf("store: scanning %d columns into %d places", len(c.row), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, c.row[i]); err != nil {
			return fmt.Errorf("store: column %d: %w", i+1, err)
		}
	}
	return nil
}

func (c *liteCursor) close() error {
	clear(c.row)
	return errors.Join(c.err, c.rows.Close())
}
