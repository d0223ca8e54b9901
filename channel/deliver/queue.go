// Package deliver brings messages out. A delivery is one attempt to bring a notice to one address over one
// channel, and its row is the queue.
//
// Add stores a delivery with the caller's transaction, leased already while this process has room to send it at once:
// then its message is handed over in memory after the commit. One that finds no room, or is tried again, is claimed by
// a guarded update with a lease and composed from its record. The sender of its channel brings it out, and what came
// of it is recorded with an event. A sweep takes what is due or whose lease lapsed, so nothing accepted is lost: a
// crash may repeat a message, never drop one. Nothing is sent after a delivery's expiry. The secret of a message lives in the
// row's sealed payload alone and goes when the row is done.
//
// The package leans on base/store, base/seal and base/event. What a message says is the composer's business,
// which the program wires in.
package deliver

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// ref names a delivery's row.
type ref struct{ account, id string }

// Channels.
const (
	Email = "email"
	SMS   = "sms"
)

// State of a delivery.
type State string

// The states: queued until the receiving side has taken it, has refused it for good, or its time is over.
const (
	StateQueued   State = "queued"
	StateAccepted State = "accepted"
	StateRefused  State = "refused"
	StateExpired  State = "expired"
)

// Sender brings one message out over one channel and says what came of it. It must honour ctx and be safe for
// concurrent use.
type Sender interface {
	Send(ctx context.Context, m Message) Result
}

// Composer opens claimed deliveries and renders their messages, in one statement for all of them. It answers
// for each claimed delivery under the same index; one that cannot be composed has Err.
type Composer func(ctx context.Context, tx *store.Tx, claimed []Claimed) ([]Composed, error)

// Composed is a message ready to leave, with the key that seals what is recorded of it.
type Composed struct {
	To      string
	Content Content
	Key     seal.DataKey
	Err     error
}

// Options wire a Queue. Zero values get the defaults named.
type Options struct {
	DB      *store.DB
	Senders map[string]Sender // by channel
	Compose Composer
	Workers int           // messages under way at once; 32
	Lease   time.Duration // 90 s
	Sweep   time.Duration // between two sweeps; 1 s
	Alone   bool          // no other process sends from this database: what one before this left is due at once
	Log     *slog.Logger
}

// Queue is the one path out.
type Queue struct {
	o      Options
	wake   chan ref
	sweep  chan struct{}
	sends  chan outgoing
	done   chan outcome
	idle   chan struct{} // closed by Run when it has ended
	flight chan struct{} // one token for each leased delivery that is not recorded yet

	gate sync.RWMutex // held for reading by whoever hands over to Run, so that Run can end
	open bool         // Run takes what is handed over
}

const (
	batch       = 64  // deliveries that share a claim or a record
	maxInFlight = 256 // leased and not yet recorded: bounds memory, and how long a message waits for a worker
)

// New returns a queue that stores, and sends nothing until Run. Compose may be set later by Composes.
func New(o Options) *Queue {
	if o.Workers == 0 {
		o.Workers = 32
	}
	if o.Lease == 0 {
		o.Lease = 90 * time.Second
	}
	if o.Sweep == 0 {
		o.Sweep = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Queue{
		o:      o,
		wake:   make(chan ref, 4096),
		sweep:  make(chan struct{}, 1),
		sends:  make(chan outgoing, maxInFlight),
		done:   make(chan outcome, maxInFlight),
		idle:   make(chan struct{}),
		flight: make(chan struct{}, maxInFlight),
	}
}

// Composes names the composer; once, before Run. The composer's package stands on this one, so it comes later.
func (q *Queue) Composes(c Composer) { q.o.Compose = c }

// Has tells whether there is a sender for a channel.
func (q *Queue) Has(channel string) bool { return q.o.Senders[channel] != nil }

// Delivery is what Add stores. Index is the blind index of To. Secrets fill the blanks of the notice's record.
type Delivery struct {
	Account   string
	Key       seal.DataKey
	NoticeID  string
	Slot      string // the contact's slot, or "" for the mailbox
	Channel   string
	Form      string // which of the template's texts it is
	Class     string
	To        string
	Index     []byte
	Secrets   map[string]string
	ExpiresAt time.Time
	Content   Content
}

// Content is what a message says, its secrets filled in.
type Content struct {
	Reference string
	Locale    string
	Subject   string
	Text      string
	HTML      string
	Image     *Image
}

// Add stores d with the caller's transaction and returns its id; it leaves after the commit.
func (q *Queue) Add(tx *store.Tx, d Delivery) string {
	id := store.NewID(tx.Now())
	secrets, err := json.Marshal(d.Secrets)
	if err != nil {
		panic(err) // a map of strings is always JSON
	}
	attempts, leasedUntil := 0, int64(0)
	if q.reserve(tx) {
		until := tx.Now().Add(q.o.Lease)
		attempts, leasedUntil = 1, store.Micros(until)
		c := Claimed{
			Account: d.Account, ID: id, NoticeID: d.NoticeID, Slot: d.Slot, Channel: d.Channel, Form: d.Form, Class: d.Class,
			Attempts: attempts, ExpiresAt: d.ExpiresAt, LeasedUntil: until,
		}
		tx.AfterCommit(func() { q.handOver(outgoing{c, c.message(d.To, d.Content), d.Key}) })
	} else {
		tx.AfterCommit(func() { q.nudge(ref{d.Account, id}) })
	}
	now := store.Micros(tx.Now())
	tx.LaterRow(`INSERT INTO delivery (account_id, delivery_id, notice_id, slot, channel, form, class, state, address,
		target_index, payload, attempts, due_at, leased_until, expires_at, created_at, code, enhanced) VALUES`,
		d.Account, id, d.NoticeID, d.Slot, d.Channel, d.Form, d.Class, string(StateQueued), d.Key.Seal(place(id, "address"), []byte(d.To)),
		d.Index, d.Key.Seal(place(id, "payload"), secrets), attempts, now, leasedUntil, store.Micros(d.ExpiresAt), now, 0, "")
	return id
}

// reserve keeps room for one more message under way, until the transaction fails; false when there is none.
func (q *Queue) reserve(tx *store.Tx) bool {
	q.gate.RLock()
	defer q.gate.RUnlock()
	if !q.open {
		return false
	}
	select {
	case q.flight <- struct{}{}:
		tx.AfterRollback(func() { q.release(1) })
		return true
	default:
		return false
	}
}

// handOver gives a stored message to the workers. When Run has ended meanwhile, its lease lapses and another process
// takes it.
func (q *Queue) handOver(out outgoing) {
	q.gate.RLock()
	defer q.gate.RUnlock()
	if !q.open {
		q.release(1)
		return
	}
	q.sends <- out // never blocks: there is room for every token
}

// nudge asks for a delivery to be claimed now. When too many wait already, the sweep finds it.
func (q *Queue) nudge(r ref) {
	select {
	case q.wake <- r:
	default:
	}
}

// Poke asks for a sweep now.
func (q *Queue) Poke() {
	select {
	case q.sweep <- struct{}{}:
	default:
	}
}

func place(id, column string) seal.Place {
	return seal.Place{Table: "delivery", Row: id, Column: column}
}
