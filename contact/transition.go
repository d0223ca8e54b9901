package contact

import (
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// sealedValue is a value as a record keeps it.
type sealedValue struct {
	value []byte
	index []byte
	line  string
}

func (c *Contacts) seal(acc account.Account, slot Slot, v Value) sealedValue {
	return sealedValue{
		value: acc.Key.Seal(place(acc.ID, slot.String()), []byte(v.stored())),
		index: c.index(slot.Kind(), v),
		line:  string(v.Phone.Line),
	}
}

// index is the blind index of a value.
func (c *Contacts) index(kind Kind, v Value) []byte { return c.o.Keys.Index(string(kind), v.key()) }

// The transitions of a record, each with a version of its own. now is in microseconds.

func (r *record) bump(now int64) { r.version = max(now, r.version+1) }

// replace puts a new, unverified value in place of whatever there was.
func (r *record) replace(v sealedValue, now int64) {
	r.bump(now)
	*r = record{slot: r.slot, version: r.version, state: Unverified, setAt: now, value: v.value, index: v.index, line: v.line}
}

// propose has a value wait beside the current one.
func (r *record) propose(v sealedValue, now int64) {
	r.bump(now)
	r.pendingValue, r.pendingIndex, r.pendingLine, r.pendingAt = v.value, v.index, v.line, now
}

// withdraw forgets the value that waits. The new version keeps its codes from proving the current one.
func (r *record) withdraw(now int64) {
	r.bump(now)
	r.pendingValue, r.pendingIndex, r.pendingLine, r.pendingAt = nil, nil, "", 0
}

// remove empties the row. What stays is the version, so that it never returns.
func (r *record) remove(now int64) {
	r.bump(now)
	*r = record{slot: r.slot, version: r.version, state: removed, setAt: now, value: []byte{}, index: []byte{}}
}

// body is what an event says of the record: nothing personal.
func (r *record) body() map[string]any {
	body := map[string]any{"version": r.version}
	if line := r.newestLine(); line != "" {
		body["line_type"] = line
	}
	return body
}

func (r *record) bodyUntil(window time.Time) map[string]any {
	body := r.body()
	body["window_until"] = window.Format(time.RFC3339Nano)
	return body
}

func (r *record) newestLine() string {
	if r.pending() {
		return r.pendingLine
	}
	return r.line
}

// teller appends events about one slot.
type teller struct {
	tx        *store.Tx
	accountID string
	slot      Slot
	actor     string
}

func (t teller) happened(name string, body map[string]any) {
	body["slot"], body["kind"] = t.slot.String(), string(t.slot.Kind())
	event.Append(t.tx, event.Event{Type: name, Account: t.accountID, Subject: t.slot.String(), Actor: t.actor, Body: body})
}

func unknownContact() error { return fault.New(fault.NotFound, "unknown-contact") }
