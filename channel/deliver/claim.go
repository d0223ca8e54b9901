package deliver

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Claimed is a delivery that this process may send until its lease ends.
type Claimed struct {
	Account     string
	ID          string
	NoticeID    string
	Slot        string
	Channel     string
	Form        string
	Class       string
	Attempts    int // this one included; it tells this lease from a later one
	ExpiresAt   time.Time
	LeasedUntil time.Time
	address     []byte
	payload     []byte
}

// Open unseals where a claimed delivery goes and the secrets that fill its blanks.
func (c *Claimed) Open(key seal.DataKey) (to string, secrets map[string]string, err error) {
	address, err := key.Open(place(c.ID, "address"), c.address)
	if err != nil {
		return "", nil, err
	}
	payload, err := key.Open(place(c.ID, "payload"), c.payload)
	if err != nil {
		return "", nil, err
	}
	if err := json.Unmarshal(payload, &secrets); err != nil {
		return "", nil, err
	}
	return string(address), secrets, nil
}

// message is what the delivery brings out.
func (c *Claimed) message(to string, content Content) Message {
	return Message{
		DeliveryID: c.ID, NoticeID: c.NoticeID, Reference: content.Reference, Channel: c.Channel, To: to,
		Subject: content.Subject, Text: content.Text, HTML: content.HTML, Image: content.Image,
		Locale: content.Locale, Class: c.Class, ExpiresAt: c.ExpiresAt,
	}
}

// claim leases those of the deliveries that are due and that nobody else has leased.
func (q *Queue) claim(ctx context.Context, refs []ref) ([]Claimed, error) {
	var claimed []Claimed
	err := q.o.DB.WriteRelaxed(ctx, func(tx *store.Tx) error { // a lost claim is claimed again
		claimed = claimed[:0]
		now := store.Micros(tx.Now())
		until := tx.Now().Add(q.o.Lease)
		marks, args := in(refs, now, store.Micros(until))
		rows, err := tx.Query(ctx, `UPDATE delivery SET leased_until = $2, attempts = attempts + 1
			WHERE (account_id, delivery_id) `+marks+` AND state = 'queued' AND due_at <= $1 AND leased_until <= $1
			RETURNING account_id, delivery_id, notice_id, slot, channel, form, class, attempts, expires_at, address, payload`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c := Claimed{LeasedUntil: until}
			var expires int64
			if err := rows.Scan(&c.Account, &c.ID, &c.NoticeID, &c.Slot, &c.Channel, &c.Form, &c.Class, &c.Attempts,
				&expires, &c.address, &c.payload); err != nil {
				return err
			}
			c.ExpiresAt = store.Time(expires)
			claimed = append(claimed, c)
		}
		return rows.Err()
	})
	return claimed, err
}

// in returns "IN (VALUES ($k, $l), …)" for refs after the given arguments, and the cheaper "= ($k, $l)" for one. The
// list is filled up to a power of two with its last one, so that a handful of prepared statements serves every size.
func in(refs []ref, before ...any) (marks string, args []any) {
	if len(refs) == 1 {
		n := len(before)
		return "= ($" + strconv.Itoa(n+1) + ", $" + strconv.Itoa(n+2) + ")", append(before, refs[0].account, refs[0].id)
	}
	size := 1
	for size < len(refs) {
		size *= 2
	}
	args = before
	list := make([]string, size)
	for i := range size {
		r := refs[min(i, len(refs)-1)]
		args = append(args, r.account, r.id)
		list[i] = "($" + strconv.Itoa(len(args)-1) + ", $" + strconv.Itoa(len(args)) + ")"
	}
	return "IN (VALUES " + strings.Join(list, ", ") + ")", args
}

// due returns deliveries whose next attempt has come or whose lease lapsed, the longest waiting first.
func (q *Queue) due(ctx context.Context, limit int) ([]ref, error) {
	var refs []ref
	err := q.o.DB.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, dueQuery, store.Micros(tx.Now()), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r ref
			if err := rows.Scan(&r.account, &r.id); err != nil {
				return err
			}
			refs = append(refs, r)
		}
		return rows.Err()
	})
	return refs, err
}

const dueQuery = "SELECT account_id, delivery_id FROM delivery WHERE state = 'queued' AND due_at <= $1 AND leased_until <= $1 ORDER BY due_at LIMIT $2"

// recover makes every queued delivery due: where no other process sends, a lease or a pause of the process before
// this one binds nobody.
func (q *Queue) recover(ctx context.Context) error {
	return q.o.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE delivery SET due_at = $1, leased_until = 0 WHERE state = 'queued'", store.Micros(tx.Now()))
		return err
	})
}
