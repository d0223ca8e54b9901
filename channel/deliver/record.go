package deliver

import (
	"context"
	"maps"
	"slices"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
)

// timeOver is the outcome of a message that was not sent because its expiry had come.
const timeOver Outcome = -1

// record writes down what came of messages, those that finish together in one transaction.
func (q *Queue) record(ctx context.Context) {
	for first := range q.done {
		outcomes := []outcome{first}
		for more := true; more && len(outcomes) < batch; {
			select {
			case o, open := <-q.done:
				if more = open; open {
					outcomes = append(outcomes, o)
				}
			default:
				more = false
			}
		}
		// A record that is lost with the machine leaves a lapsed lease, and the message goes out again.
		err := q.o.DB.WriteRelaxed(ctx, func(tx *store.Tx) error { return q.write(ctx, tx, outcomes) })
		if err != nil {
			// The lease brings them back: better a message twice than one without a record.
			q.o.Log.Error("what came of deliveries could not be recorded", "deliveries", len(outcomes), "error", err)
		}
		q.release(len(outcomes))
	}
}

// write records the usual outcome, taken at once, in one statement for all, and each other one by itself.
func (q *Queue) write(ctx context.Context, tx *store.Tx, outcomes []outcome) error {
	accepted := map[int]map[ref]outcome{}
	for _, o := range outcomes {
		if o.result.Outcome != Accepted {
			if err := o.write(ctx, tx); err != nil {
				return err
			}
			continue
		}
		if accepted[o.result.Code] == nil {
			accepted[o.result.Code] = map[ref]outcome{}
		}
		accepted[o.result.Code][ref{o.claimed.Account, o.claimed.ID}] = o
	}
	for code, all := range accepted {
		if err := accept(ctx, tx, code, all); err != nil {
			return err
		}
	}
	return nil
}

// accept records messages that were taken, whoever has the lease by now: they are out. One that ended otherwise
// meanwhile, or whose account was erased, stays as it is.
func accept(ctx context.Context, tx *store.Tx, code int, all map[ref]outcome) error {
	marks, args := in(slices.Collect(maps.Keys(all)), store.Micros(tx.Now()), code)
	rows, err := tx.Query(ctx, `UPDATE delivery SET state = 'accepted', done_at = $1, code = $2, enhanced = '', words = NULL, payload = NULL
			WHERE (account_id, delivery_id) `+marks+` AND state = 'queued'
			RETURNING account_id, delivery_id`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r ref
		if err := rows.Scan(&r.account, &r.id); err != nil {
			return err
		}
		all[r].happened(tx, "delivery.accepted", nil)
	}
	return rows.Err()
}

func (o outcome) write(ctx context.Context, tx *store.Tx) error {
	now := tx.Now()
	if o.result.Outcome == Retry {
		return o.retry(ctx, tx, now.Add(max(o.result.RetryAfter, backoff(o.claimed.Attempts))))
	}
	state, name := StateRefused, "delivery.refused"
	if o.result.Outcome == timeOver {
		state, name = StateExpired, "delivery.expired"
	}
	n, err := tx.Exec(ctx, `UPDATE delivery SET state = $2, done_at = $3, payload = NULL,
			code = CASE WHEN $4 > 0 THEN $4 ELSE code END, enhanced = CASE WHEN $4 > 0 THEN $5 ELSE enhanced END,
			words = COALESCE($6, words)
		WHERE delivery_id = $1 AND account_id = $7 AND attempts = $8 AND state = 'queued'`,
		o.claimed.ID, string(state), store.Micros(now), int64(o.result.Code), o.result.Enhanced, o.words(), o.claimed.Account, o.claimed.Attempts)
	if err != nil || n == 0 {
		return err
	}
	o.happened(tx, name, map[string]any{"code": o.result.Code, "enhanced": o.result.Enhanced, "recipient": o.result.Recipient})
	return nil
}

// retry puts the delivery back, at the latest for the moment of its expiry, when it ends with an event.
func (o outcome) retry(ctx context.Context, tx *store.Tx, next time.Time) error {
	if next.After(o.claimed.ExpiresAt) {
		next = o.claimed.ExpiresAt
	}
	_, err := tx.Exec(ctx, `UPDATE delivery SET due_at = $2, leased_until = 0, code = $3, enhanced = $4, words = $5
		WHERE delivery_id = $1 AND account_id = $6 AND attempts = $7 AND state = 'queued'`,
		o.claimed.ID, store.Micros(next), o.result.Code, o.result.Enhanced, o.words(), o.claimed.Account, o.claimed.Attempts)
	return err
}

// words seals what the other side said: it may repeat the address.
func (o outcome) words() []byte {
	if o.result.Words == "" {
		return nil
	}
	return o.key.Seal(place(o.claimed.ID, "words"), []byte(o.result.Words))
}

func (o outcome) happened(tx *store.Tx, name string, body map[string]any) {
	if body == nil {
		body = map[string]any{}
	}
	body["channel"], body["class"], body["slot"], body["attempts"] = o.claimed.Channel, o.claimed.Class, o.claimed.Slot, o.claimed.Attempts
	event.Append(tx, event.Event{Type: name, Account: o.claimed.Account, Subject: o.claimed.ID, Actor: event.System, Body: body})
}

// backoff is the pause before the next attempt: greylisting usually asks for one to five minutes, and a code
// lives for ten to thirty.
func backoff(attempts int) time.Duration {
	steps := []time.Duration{15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute}
	return steps[min(max(attempts, 1), len(steps))-1]
}
