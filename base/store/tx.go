package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
)

var (
	errReadOnly = errors.New("store: a statement that writes, within Read")
	errRowsOpen = errors.New("store: a statement while the rows of another are open")
)

// maxParams bounds the placeholders of one merged INSERT; SQLite allows 32,766.
const maxParams = 30000

// Tx is a transaction, or what Read gives. It belongs to the goroutine that runs the function it was given to.
type Tx struct {
	db       *DB
	session  session
	now      time.Time
	count    *Count
	readOnly bool
	rows     *Rows // being read
	wrote    bool  // a statement ran
	err      error // the first statement's failure; ends the transaction
	inserts  []insert
	after    []func()
	undo     []func()
}

// insert collects the rows that were given for one head.
type insert struct {
	head  string
	width int
	args  []any
}

// Now is the time of the transaction: the same at every call.
func (tx *Tx) Now() time.Time { return tx.now }

// Engine says which kind of database the transaction runs on.
func (tx *Tx) Engine() Engine { return tx.db.name }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(_ context.Context, sql string, args ...any) (int64, error) {
	if tx.readOnly {
		return 0, tx.failed(errReadOnly)
	}
	if err := tx.ready(); err != nil {
		return 0, err
	}
	n, err := tx.session.exec(sql, args)
	return n, tx.failed(err)
}

// Query runs a statement that returns rows. They must be closed before the next statement.
func (tx *Tx) Query(_ context.Context, sql string, args ...any) (*Rows, error) {
	return tx.query(sql, args)
}

func (tx *Tx) query(sql string, args []any) (*Rows, error) {
	if tx.readOnly && !reads(sql) {
		return nil, tx.failed(errReadOnly)
	}
	if err := tx.ready(); err != nil {
		return nil, err
	}
	c, err := tx.session.query(sql, args)
	if err != nil {
		return nil, tx.failed(err)
	}
	tx.rows = &Rows{tx: tx, cursor: c}
	return tx.rows, nil
}

// QueryRow returns the first row of a statement. It runs when the row is scanned.
func (tx *Tx) QueryRow(_ context.Context, sql string, args ...any) Row {
	return Row{tx: tx, sql: sql, args: args}
}

// Later runs a write whose result nobody waits for. On PostgreSQL it goes out in one pipeline with the next statement
// or the commit, on SQLite at once; the order of statements is kept, and args must not change until then. Its failure
// shows at the next statement or the commit. A unique violation runs the whole transaction again: whoever defers an
// insert drew its key at random.
func (tx *Tx) Later(sql string, args ...any) {
	if tx.readOnly {
		_ = tx.failed(errReadOnly)
		return
	}
	if tx.ready() == nil {
		_ = tx.failed(deferred(tx.session.later(sql, args)))
	}
}

// LaterRow inserts a row just before the commit, together with all rows given for the same head, which looks like
// "INSERT INTO t (a, b) VALUES". As with Later, a unique violation runs the whole transaction again.
func (tx *Tx) LaterRow(insertHead string, row ...any) {
	if tx.readOnly {
		_ = tx.failed(errReadOnly)
		return
	}
	for i := range tx.inserts {
		if in := &tx.inserts[i]; in.head == insertHead && in.width == len(row) {
			in.args = append(in.args, row...)
			return
		}
	}
	tx.inserts = append(tx.inserts, insert{head: insertHead, width: len(row), args: append([]any(nil), row...)})
}

// AfterCommit has fn run once after the commit, on the goroutine of Write; never after a rollback.
func (tx *Tx) AfterCommit(fn func()) {
	if tx.readOnly {
		_ = tx.failed(errReadOnly)
		return
	}
	tx.after = append(tx.after, fn)
}

// AfterRollback has fn run once when the transaction has failed, before it runs again if it does; never after a commit.
func (tx *Tx) AfterRollback(fn func()) {
	if tx.readOnly {
		_ = tx.failed(errReadOnly)
		return
	}
	tx.undo = append(tx.undo, fn)
}

// Enqueue puts in a job that is there when the transaction has committed. opts may be nil.
func (tx *Tx) Enqueue(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
	if tx.readOnly {
		return tx.failed(errReadOnly)
	}
	if err := tx.ready(); err != nil {
		return err
	}
	return tx.failed(tx.session.enqueue(context.WithoutCancel(ctx), args, opts))
}

// ready says whether a statement may run now, and counts it.
func (tx *Tx) ready() error {
	if tx.err != nil {
		return tx.err
	}
	if tx.rows != nil {
		return tx.failed(errRowsOpen)
	}
	tx.wrote = true
	tx.count.statement()
	return nil
}

// failed notes the first error of a statement, which ends the transaction, and returns err as the caller sees it.
func (tx *Tx) failed(err error) error {
	if err == nil {
		return nil
	}
	err = wrap(err)
	if tx.err == nil {
		tx.err = err
	}
	return err
}

// finish sends the merged inserts and says whether the transaction may commit.
func (tx *Tx) finish() error {
	for _, in := range tx.inserts {
		for len(in.args) > 0 && in.width > 0 {
			n := min(len(in.args), maxParams/in.width*in.width)
			tx.Later(in.text(n/in.width, tx.Engine()), in.args[:n]...)
			in.args = in.args[n:]
		}
	}
	if tx.rows != nil {
		_ = tx.failed(errRowsOpen)
	}
	return tx.err
}

// text is the INSERT of so many rows. SQLite gets placeholders without a number: it finds numbered ones by walking a
// list, which takes seconds for thousands of them.
func (in insert) text(rows int, e Engine) string {
	var b strings.Builder
	b.Grow(len(in.head) + rows*in.width*6)
	b.WriteString(in.head)
	for p := range rows * in.width {
		switch {
		case p == 0:
			b.WriteString(" (")
		case p%in.width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		if e == SQLite {
			b.WriteByte('?')
			continue
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(p + 1))
	}
	b.WriteByte(')')
	return b.String()
}

// closeRows closes what the function left open, in its own way or by a panic.
func (tx *Tx) closeRows() {
	if tx.rows != nil {
		tx.rows.Close()
	}
}

// committed runs what waited for the commit.
func (tx *Tx) committed() {
	if tx.wrote {
		tx.count.commit()
	}
	for _, fn := range tx.after {
		fn()
	}
}

// undone runs what waited for a failure.
func (tx *Tx) undone() {
	for _, fn := range tx.undo {
		fn()
	}
}

// reads says whether a statement only reads, by its first word.
func reads(sql string) bool {
	sql = strings.TrimLeft(sql, " \t\r\n(")
	word, _, _ := strings.Cut(sql, " ")
	word, _, _ = strings.Cut(word, "\n")
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "SELECT", "WITH", "VALUES", "EXPLAIN":
		return true
	}
	return false
}
