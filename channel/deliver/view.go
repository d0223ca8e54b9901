package deliver

import (
	"context"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// View is what became of a delivery.
type View struct {
	Account  string
	ID       string
	Channel  string
	State    State
	Attempts int
	Code     int    // the last reply's, 0 for none
	Enhanced string // its enhanced status code (RFC 3463)
	DueAt    time.Time
	DoneAt   time.Time
	words    []byte
}

// Words opens what the other side last said, word for word; it may hold the address.
func (v View) Words(key seal.DataKey) (string, error) { return OpenWords(key, v.ID, v.words) }

// OpenWords opens the column words of a delivery that a statement of another package has joined; NULL reads as empty.
func OpenWords(key seal.DataKey, deliveryID string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	words, err := key.Open(place(deliveryID, "words"), sealed)
	return string(words), err
}

// Get returns one delivery of an account, or store.ErrNoRows.
func Get(ctx context.Context, tx *store.Tx, account, id string) (View, error) {
	v := View{Account: account, ID: id}
	var due int64
	var done *int64
	err := tx.QueryRow(ctx, `SELECT channel, state, attempts, code, enhanced, due_at, done_at, words
		FROM delivery WHERE account_id = $1 AND delivery_id = $2`, account, id).
		Scan(&v.Channel, (*string)(&v.State), &v.Attempts, &v.Code, &v.Enhanced, &due, &done, &v.words)
	v.DueAt = store.Time(due)
	if done != nil {
		v.DoneAt = store.Time(*done)
	}
	return v, err
}

// TargetIndex returns the blind index of the address that a delivery went to, or store.ErrNoRows.
func TargetIndex(ctx context.Context, tx *store.Tx, account, id string) (index []byte, err error) {
	err = tx.QueryRow(ctx, "SELECT target_index FROM delivery WHERE account_id = $1 AND delivery_id = $2", account, id).Scan(&index)
	return index, err
}

// Finished counts deliveries that ended since a time, and those among them that were refused because of the
// recipient (5.1.x).
func Finished(ctx context.Context, tx *store.Tx, since time.Time) (refused, finished int, err error) {
	err = tx.QueryRow(ctx, finishedQuery, store.Micros(since)).Scan(&refused, &finished)
	return refused, finished, err
}

const finishedQuery = `SELECT COUNT(*) FILTER (WHERE state = 'refused' AND enhanced LIKE '5.1.%'), COUNT(*) FROM delivery
	WHERE done_at IS NOT NULL AND done_at >= $1`

// Erase removes an account's deliveries that were made before a time.
func Erase(ctx context.Context, tx *store.Tx, account string, before time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM delivery WHERE account_id = $1 AND created_at < $2", account, store.Micros(before))
	return err
}

// Backlog counts the deliveries that wait to leave, and says since when the oldest of them does (zero without any).
func Backlog(ctx context.Context, tx *store.Tx) (queued int, oldest time.Time, err error) {
	var created *int64
	err = tx.QueryRow(ctx, "SELECT COUNT(*), MIN(created_at) FROM delivery WHERE state = 'queued'").Scan(&queued, &created)
	if created != nil {
		oldest = store.Time(*created)
	}
	return queued, oldest, err
}
