package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"countersign.dev/base/store"
)

// table is what an import writes to. A kind for each column says what it holds: s text, b bytes, n a number or NULL.
type table struct {
	name, columns, kinds string
}

var tables = []table{
	{"account", "account_id, data_key, wrapped_by, name, mailbox, mailbox_index, locale, time_zone, country, created_at, changed_at", "sbnbbbsssnn"},
	{"contact", "account_id, slot, value, value_index, line, state, reason, version, set_at", "ssbbsssnn"},
	{"event", "account_id, event_id, type, subject, actor, at, body", "sssssns"},
}

// chunk is how many rows the reference writes at a time.
const chunk = 1000

// sink writes rows of a table for good.
type sink func(ctx context.Context, t table, rows [][]any) error

// copyRows writes all rows of an imported database into a new one, and returns how long the writing took; the reading is not counted.
func copyRows(ctx context.Context, p *place, from *store.DB) (took time.Duration, err error) {
	to, err := p.database(ctx, "bench_bare")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	write, done := insertInto(to), func() error { return nil }
	if p.cluster != nil {
		if write, done, err = copyInto(ctx, p.cluster.URL, to); err != nil {
			return 0, err
		}
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, t := range tables {
		err := t.chunks(ctx, from, func(rows [][]any) error {
			began := time.Now()
			err := write(ctx, t, rows)
			took += time.Since(began)
			return err
		})
		if err != nil {
			return took, err
		}
	}
	return took, nil
}

// chunks reads a table from its beginning to its end.
func (t table) chunks(ctx context.Context, db *store.DB, each func(rows [][]any) error) error {
	return db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+t.columns+" FROM "+t.name)
		if err != nil {
			return err
		}
		defer rows.Close()
		var some [][]any
		for rows.Next() {
			row := t.row()
			if err := rows.Scan(row...); err != nil {
				return err
			}
			if some = append(some, row); len(some) == chunk {
				if err := each(some); err != nil {
					return err
				}
				some = nil
			}
		}
		return errors.Join(rows.Err(), each(some))
	})
}

// row is a row to scan into; both drivers take its pointers as arguments, too.
func (t table) row() []any {
	row := make([]any, len(t.kinds))
	for i, kind := range t.kinds {
		switch kind {
		case 's':
			row[i] = new(string)
		case 'b':
			row[i] = new([]byte)
		case 'n':
			row[i] = new(*int64)
		}
	}
	return row
}

// insertInto writes INSERTs of many rows.
func insertInto(db *store.DB) sink {
	return func(ctx context.Context, t table, rows [][]any) error {
		return db.Write(ctx, func(tx *store.Tx) error {
			for _, row := range rows {
				tx.LaterRow("INSERT INTO "+t.name+" ("+t.columns+") VALUES", row...)
			}
			return nil
		})
	}
}

// copyInto writes by COPY, over a connection that done closes.
func copyInto(ctx context.Context, cluster string, to *store.DB) (write sink, done func() error, err error) {
	cfg, err := pgx.ParseConfig(cluster)
	if err != nil {
		return nil, nil, err
	}
	err = to.Read(ctx, func(tx *store.Tx) error { return tx.QueryRow(ctx, "SELECT current_database()").Scan(&cfg.Database) })
	if err != nil {
		return nil, nil, err
	}
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	write = func(ctx context.Context, t table, rows [][]any) error {
		_, err := c.CopyFrom(ctx, pgx.Identifier{t.name}, strings.Split(t.columns, ", "), pgx.CopyFromRows(rows))
		return err
	}
	return write, func() error { return c.Close(ctx) }, nil
}
