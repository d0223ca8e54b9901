// Package store is the database. One set of SQL runs on SQLite, for a single node without any other server, and on
// PostgreSQL, for several nodes.
//
// It promises:
//
//   - A Write that returned nil is durable: on SQLite the commit was synced to disk, on PostgreSQL the server runs with
//     synchronous_commit on. A Write that returned an error left nothing behind.
//   - A statement that fails ends its transaction on both engines: what follows fails with the same error, and so does
//     the commit, whatever the function returns. A conflict that is expected is written as ON CONFLICT.
//   - What may be tried again is tried again here and nowhere else: serialisation failures, deadlocks, a busy database,
//     and a key drawn at random that was drawn before.
//   - A job put in with Tx.Enqueue is there exactly when the transaction committed.
//   - No error text holds a value that was stored or asked for.
//
// A Write must not be nested in another, and within one transaction the rows of one query are closed before the next
// statement. A Write whose context ended before its turn is not started; one that has started is finished, within the
// time limit for statements, so that a caller who hangs up costs neither a connection nor the work of others.
//
// SQL keeps to what both engines share: $n placeholders, BIGINT microseconds for times, TEXT ids, BYTEA, BOOLEAN,
// RETURNING, ON CONFLICT. The tables of every feature are made by the files in migrations.
//
// The package leans on base/fault only.
package store
