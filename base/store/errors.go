package store

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"countersign.dev/base/fault"
)

var (
	// ErrNoRows says that a query of one row found none. It does not end the transaction.
	ErrNoRows = errors.New("store: no rows")
	// ErrUnique says that a row with this key stands already.
	ErrUnique = errors.New("store: unique violation")
	errClosed = errors.New("store: the database is closed")
	// errReaders says that the write-ahead log could not be emptied.
	errReaders = errors.New("store: readers keep the write-ahead log from being emptied")
	// errLost says that a commit shared with others failed because of one of them.
	errLost = errors.New("store: the shared transaction was lost")
	// errArguments stands for an error of a driver that would show the value it could not encode.
	errArguments = errors.New("store: an argument does not fit its placeholder")
)

// IsUnique says whether an error is a unique violation.
func IsUnique(err error) bool { return errors.Is(err, ErrUnique) }

// failure is a database's error with a text that shows no value.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string        { return f.text }
func (f *failure) Unwrap() error        { return f.cause }
func (f *failure) Is(target error) bool { return target == ErrUnique && state(f.cause) == "23505" }

// deferredError is the failure of a statement that was not waited for.
type deferredError struct{ error }

func (e deferredError) Unwrap() error { return e.error }

func deferred(err error) error {
	if err == nil {
		return nil
	}
	return deferredError{err}
}

// wrap gives a driver's error the form that callers ask for.
func wrap(err error) error {
	var known *failure
	var server *pgconn.PgError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &server):
		return &failure{describe(server), err}
	case liteCode(err) != 0: // its texts name columns only
		return &failure{err.Error(), err}
	case strings.Contains(err.Error(), "unable to encode"):
		return errArguments
	}
	return err
}

// describe says what PostgreSQL complained about. Its own words may quote values, except about the statement itself
// (class 42).
func describe(e *pgconn.PgError) string {
	text := "store: SQLSTATE " + e.Code
	for _, name := range []string{e.TableName, e.ColumnName, e.ConstraintName} {
		if name != "" {
			text += " " + name
		}
	}
	if strings.HasPrefix(e.Code, "42") {
		text += ": " + e.Message
	}
	return text
}

// retryable says whether the transaction may succeed when it runs again.
func retryable(err error) bool {
	if err == nil {
		return false
	}
	switch state(err) {
	case "40001", "40P01":
		return true
	case "23505":
		var d deferredError
		return errors.As(err, &d)
	}
	return errors.Is(err, errLost) || pgconn.SafeToRetry(err)
}

// exhausted is what a Write that never got through returns: the caller may try again later.
func exhausted(err error) error {
	if IsUnique(err) {
		return err
	}
	return fault.New(fault.Unavailable, "unavailable").Because(err)
}

// state returns the SQLSTATE of an error, or the one that a SQLite code corresponds to; "" when there is none.
func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	switch code := liteCode(err); {
	case code == 0:
		return ""
	case code == sqlite3.SQLITE_CONSTRAINT_UNIQUE, code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
		code == sqlite3.SQLITE_CONSTRAINT_ROWID:
		return "23505"
	case code&0xff == sqlite3.SQLITE_BUSY, code&0xff == sqlite3.SQLITE_LOCKED:
		return "40001"
	}
	return "XX000"
}

// liteCode is SQLite's extended result code; 0 when the error is not SQLite's.
func liteCode(err error) int {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()
	}
	return 0
}
