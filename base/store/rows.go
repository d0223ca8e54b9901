package store

// Rows is the result of a query. A caller who stops early closes it; one who reads to the end need not.
type Rows struct {
	tx     *Tx
	cursor cursor
	err    error
	closed bool
}

// Next moves to the next row. When there is none it closes the rows and returns false.
func (r *Rows) Next() bool {
	if r.closed {
		return false
	}
	if r.cursor.next() {
		return true
	}
	r.Close()
	return false
}

// Scan copies the current row's columns into dest: *int64, *string, *[]byte, *bool and types made of them, pointers to
// such pointers or sql.Null* where NULL may stand. NULL sets a *[]byte to nil.
func (r *Rows) Scan(dest ...any) error {
	if err := r.cursor.scan(dest); err != nil {
		r.err = r.tx.failed(err)
		return r.err
	}
	return nil
}

// Err is the error that ended the rows, if any.
func (r *Rows) Err() error { return r.err }

// Close ends the reading. It may be called more than once.
func (r *Rows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.tx.rows = nil
	if err := r.tx.failed(r.cursor.close()); err != nil && r.err == nil {
		r.err = err
	}
}

// Row is the first row of a query that has not run yet.
type Row struct {
	tx   *Tx
	sql  string
	args []any
}

// Scan runs the query and copies the columns of its first row into dest, as Rows.Scan does. It returns ErrNoRows when
// there is none.
func (r Row) Scan(dest ...any) error {
	rows, err := r.tx.query(r.sql, r.args)
	if err != nil {
		return err
	}
	found := rows.Next()
	if found {
		err = rows.Scan(dest...)
	}
	rows.Close()
	switch {
	case err != nil:
		return err
	case rows.err != nil:
		return rows.err
	case !found:
		return ErrNoRows
	}
	return nil
}
