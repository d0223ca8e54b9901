// Package event keeps what happened.
//
// An event is appended in the transaction that did the thing, so neither exists without the other. One table
// serves as audit trail, as feed for integrators and as the signal that other features listen to: a sequencer
// numbers events after their commit, so a reader's cursor never skips one, and a dispatcher hands each event at
// least once to the listeners that the program wired in.
//
// A body holds no personal data: no name, address, number, code or free text. What is personal goes, sealed
// under the instance's data key, into Sealed.
//
// The package leans on base/store, and on base/seal for where a sealed part is sealed for.
package event

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Event is one thing that happened. Account is empty for what concerns no account. Subject is the id of what it
// happened to (a slot, a verification, a delivery). Sealed is sealed for the event's place, see Place. Seq is 0 until
// the sequencer has numbered it.
type Event struct {
	ID      string
	Type    string
	Account string
	Subject string
	Actor   string
	At      time.Time
	Body    map[string]any
	Sealed  []byte
	Seq     int64
}

// Actors that are neither a key nor a person.
const (
	System = "system"
	CLI    = "cli"
)

// Place is where the sealed part of the event with this id is sealed for. Whoever seals one draws the id first.
func Place(id string) seal.Place {
	return seal.Place{Table: "event", Row: id, Column: "sealed"}
}

// Append records e with the caller's transaction; At is filled in, and so is an ID that is empty. All events of one
// transaction go out in one statement.
func Append(tx *store.Tx, e Event) {
	if e.ID == "" {
		e.ID = store.NewID(tx.Now())
	}
	if e.Body == nil {
		e.Body = map[string]any{}
	}
	body, err := json.Marshal(e.Body)
	if err != nil {
		panic(fmt.Sprintf("event %s: a body that is not JSON: %v", e.Type, err))
	}
	tx.LaterRow("INSERT INTO event (account_id, event_id, type, subject, actor, at, body, sealed) VALUES",
		e.Account, e.ID, e.Type, e.Subject, e.Actor, store.Micros(tx.Now()), string(body), e.Sealed)
}

const columns = "account_id, event_id, type, subject, actor, at, body, sealed, seq"

// After returns the events numbered above after, oldest first, at most limit.
func After(ctx context.Context, tx *store.Tx, after int64, limit int) ([]Event, error) {
	return list(ctx, tx, "SELECT "+columns+" FROM event WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit)
}

// OfAccount returns an account's events, newest first, at most limit, older than the event id before when that
// is not empty. Events that are not numbered yet are among them.
func OfAccount(ctx context.Context, tx *store.Tx, account, before string, limit int) ([]Event, error) {
	if before == "" {
		before = "~" // sorts after every id
	}
	return list(ctx, tx, "SELECT "+columns+" FROM event WHERE account_id = $1 AND event_id < $2 ORDER BY event_id DESC LIMIT $3",
		account, before, limit)
}

func list(ctx context.Context, tx *store.Tx, query string, args ...any) ([]Event, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []Event
	for rows.Next() {
		var e Event
		var at int64
		var seq *int64
		var body string
		if err := rows.Scan(&e.Account, &e.ID, &e.Type, &e.Subject, &e.Actor, &at, &body, &e.Sealed, &seq); err != nil {
			return nil, err
		}
		if seq != nil {
			e.Seq = *seq
		}
		e.At = store.Time(at)
		if err := json.Unmarshal([]byte(body), &e.Body); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.ID, err)
		}
		events = append(events, e)
	}
	return events, rows.Err()
}
