package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

const (
	// maxGroup bounds how many transactions share one commit, and so how long the first waits for the last.
	maxGroup = 64
	// maxLog is how large SQLite's write-ahead log may grow before a commit empties it, in bytes. Smaller ones are
	// written back in passing; this one waits for the readers, whose overlapping reads can keep that from finishing.
	maxLog = 64 << 20
	// logChecks is after how many commits its size is looked at.
	logChecks = 512
)

// writer hands SQLite's one writing connection from one transaction to the next, in the order they came. Those that
// wait join the transaction that is open, each behind a savepoint, and the last one commits for all: one sync of the
// disk for many. Each runs on its own goroutine. The turn, which whoever holds the connection has, guards the fields
// below it.
type writer struct {
	mu    sync.Mutex
	held  bool
	queue []chan struct{} // of capacity one; those who wait for the turn

	conn    *liteConn // nil once closed
	group   *group
	log     string // path of the write-ahead log
	commits int
}

// group is the open transaction and those who share it.
type group struct {
	size int
	done chan struct{} // closed when it has ended
	err  error         // why nothing of it stayed; set before done is closed
}

// turn is one participant's part of a group.
type turn struct {
	w     *writer
	g     *group
	first bool
	lost  error // a statement failed in a way that may have rolled back more than itself
}

// acquire waits for the turn; nobody has it when an error is returned.
func (w *writer) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	if !w.held {
		w.held = true
		w.mu.Unlock()
		return nil
	}
	ready := make(chan struct{}, 1)
	w.queue = append(w.queue, ready)
	w.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	if !w.withdraw(ready) { // the turn came meanwhile, perhaps with a group to commit
		<-ready
		w.leave()
	}
	return ctx.Err()
}

// withdraw takes a waiting one out of the queue; false when it is not there.
func (w *writer) withdraw(ready chan struct{}) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, ready)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

// pass gives the turn to the next who waits; false when nobody does.
func (w *writer) pass() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return false
	}
	w.queue[0] <- struct{}{}
	w.queue = slices.Delete(w.queue, 0, 1)
	return true
}

// release gives the turn away, with no group open.
func (w *writer) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.held = false
		return
	}
	w.queue[0] <- struct{}{}
	w.queue = slices.Delete(w.queue, 0, 1)
}

// leave ends the holder's turn: the next one joins the group, or the group ends.
func (w *writer) leave() {
	if w.group != nil && w.group.size < maxGroup && w.pass() {
		return
	}
	if w.group != nil {
		_, err := w.conn.exec("COMMIT", nil)
		w.end(err)
	}
	w.release()
}

// settle takes the turn and ends the group, for what runs outside of one.
func (w *writer) settle(ctx context.Context) error {
	if err := w.acquire(ctx); err != nil {
		return err
	}
	if w.conn == nil {
		w.release()
		return errClosed
	}
	if w.group != nil {
		_, err := w.conn.exec("COMMIT", nil)
		w.end(err)
	}
	return nil
}

// end closes the group; after an error nothing of it stays.
func (w *writer) end(err error) {
	if err != nil {
		_, _ = w.conn.exec("ROLLBACK", nil) // SQLite may have rolled back already
	}
	w.group.err = err
	close(w.group.done)
	w.group = nil
	if w.commits++; err == nil && w.commits%logChecks == 0 {
		w.trim()
	}
}

// trim empties the write-ahead log when it has grown large.
func (w *writer) trim() {
	if info, err := os.Stat(w.log); err == nil && info.Size() > maxLog {
		_ = w.emptyLog() // the next check tries again
	}
}

// emptyLog moves the log into the database file. The holder of the turn calls it, outside a group. It waits for
// readers only shortly, since every writer waits with it.
func (w *writer) emptyLog() error {
	if _, err := w.conn.exec("PRAGMA busy_timeout(100)", nil); err != nil {
		return err
	}
	err := w.moveLog()
	_, err2 := w.conn.exec(busyTimeout, nil)
	return errors.Join(err, err2)
}

func (w *writer) moveLog() error {
	c, err := w.conn.query("PRAGMA wal_checkpoint(TRUNCATE)", nil)
	if err != nil {
		return err
	}
	var busy, frames, moved int64
	if c.next() {
		err = c.scan([]any{&busy, &frames, &moved})
	}
	if err2 := c.close(); err == nil {
		err = err2
	}
	if err == nil && busy != 0 {
		err = errReaders
	}
	return err
}

// begin waits for the turn and opens a group, or joins the open one.
func (w *writer) begin(ctx context.Context) (*turn, error) {
	if err := w.acquire(ctx); err != nil {
		return nil, err
	}
	if w.conn == nil {
		w.release()
		return nil, errClosed
	}
	if w.group == nil {
		if _, err := w.conn.exec("BEGIN IMMEDIATE", nil); err != nil {
			w.release()
			return nil, err
		}
		w.group = &group{size: 1, done: make(chan struct{})}
		return &turn{w: w, g: w.group, first: true}, nil
	}
	if _, err := w.conn.exec("SAVEPOINT part", nil); err != nil {
		w.end(lost(err))
		w.release()
		return nil, lost(err)
	}
	w.group.size++
	return &turn{w: w, g: w.group}, nil
}

// commit ends the turn and waits until the group has ended.
func (t *turn) commit() error {
	err := t.lost
	if err == nil && !t.first {
		_, err = t.w.conn.exec("RELEASE part", nil)
	}
	if err != nil {
		t.w.end(lost(err))
		t.w.release()
		return err
	}
	t.w.leave()
	<-t.g.done
	return t.g.err
}

// rollback undoes this turn's part and nothing else.
func (t *turn) rollback() {
	if t.first { // and therefore alone
		t.w.end(errLost)
		t.w.release()
		return
	}
	err := t.lost
	if err == nil {
		_, err = t.w.conn.exec("ROLLBACK TO part", nil)
	}
	if err == nil {
		_, err = t.w.conn.exec("RELEASE part", nil)
	}
	if err != nil {
		t.w.end(lost(err))
		t.w.release()
		return
	}
	t.w.leave()
}

// lost is what the others of a group hear, so that they run again.
func lost(err error) error { return fmt.Errorf("%w: %w", errLost, err) }
