package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign.dev/base/store"
)

// Listener reacts to events of some types, in a transaction that also marks the event as handled. An event may
// be handed to it twice: Handle must come to the same end.
type Listener struct {
	Name   string
	Types  []string
	Handle func(ctx context.Context, tx *store.Tx, e Event) error
}

// ErrLater is what a listener returns when the time for events of a type has not come: they are handed again later,
// and nothing is logged.
var ErrLater = errors.New("event: hand it to me again later")

// Options wire a Dispatcher. Holder names this process among the nodes of one database.
type Options struct {
	DB        *store.DB
	Holder    string
	Listeners []Listener
	Every     time.Duration // between two passes; 0: 250 ms
	Log       *slog.Logger
}

// Dispatcher numbers events and hands them to listeners. One process does so at a time, whoever has the lease.
type Dispatcher struct {
	o         Options
	types     []string
	leaseEnds time.Time
	waiting   map[string]retry     // events that a listener failed on, by id
	paused    map[string]time.Time // until when a type is not handed out, by type
}

type retry struct {
	at    time.Time
	pause time.Duration
}

const (
	leaseName  = "event-dispatch"
	leaseTTL   = 5 * time.Second
	batch      = 500
	firstPause = time.Second
	longPause  = time.Minute
)

// NewDispatcher returns a dispatcher that does nothing until Run or Drain.
func NewDispatcher(o Options) *Dispatcher {
	if o.Every == 0 {
		o.Every = 250 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Dispatcher{o: o, waiting: map[string]retry{}, paused: map[string]time.Time{}}
	seen := map[string]bool{}
	for _, l := range o.Listeners {
		for _, t := range l.Types {
			if !seen[t] {
				seen[t] = true
				d.types = append(d.types, t)
			}
		}
	}
	return d
}

// Run makes passes until ctx ends, and then leaves the work to another process at once.
func (d *Dispatcher) Run(ctx context.Context) {
	defer d.letGo(context.WithoutCancel(ctx))
	tick := time.NewTicker(d.o.Every)
	defer tick.Stop()
	for {
		if err := d.Drain(ctx); err != nil && ctx.Err() == nil {
			d.o.Log.Error("events could not be dispatched", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Drain numbers and hands out all that is committed, if this process has or gets the lease.
func (d *Dispatcher) Drain(ctx context.Context) error {
	mine, err := d.hold(ctx)
	if err != nil || !mine {
		return err
	}
	for {
		n, err := d.number(ctx)
		if err != nil {
			return err
		}
		if n < batch {
			break
		}
	}
	if len(d.types) == 0 {
		return nil
	}
	return d.handOut(ctx)
}

// hold renews the lease once half of it is over; a clock that a test moves counts like any other.
func (d *Dispatcher) hold(ctx context.Context) (bool, error) {
	now := d.o.DB.Now()
	if now.Before(d.leaseEnds.Add(-leaseTTL / 2)) {
		return true, nil
	}
	mine, err := d.o.DB.Lease(ctx, leaseName, d.o.Holder, leaseTTL)
	if err != nil || !mine {
		return false, err
	}
	d.leaseEnds = now.Add(leaseTTL)
	return true, nil
}

// letGo ends the lease, if this process has it.
func (d *Dispatcher) letGo(ctx context.Context) {
	if d.leaseEnds.IsZero() {
		return
	}
	if _, err := d.o.DB.Lease(ctx, leaseName, d.o.Holder, 0); err != nil {
		d.o.Log.Warn("the lease on events ends by itself", "error", err)
	}
	d.leaseEnds = time.Time{}
}

// number gives the next numbers to committed events that have none. The outer "seq IS NULL" and the unique
// index keep a second sequencer, whose lease just lapsed, from numbering one twice or leaving a gap behind a
// reader.
func (d *Dispatcher) number(ctx context.Context) (int64, error) {
	listened := "FALSE"
	args := []any{batch}
	if len(d.types) > 0 {
		marks := make([]string, len(d.types))
		for i, t := range d.types {
			args = append(args, t)
			marks[i] = "$" + strconv.Itoa(i+2)
		}
		listened = "type IN (" + strings.Join(marks, ", ") + ")"
	}
	query := `UPDATE event SET seq = n.seq, unhandled = n.listened FROM (
		SELECT account_id, event_id,
			row_number() OVER (ORDER BY event_id)
				+ COALESCE((SELECT seq FROM event WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1), 0) AS seq,
			` + listened + ` AS listened
		FROM event WHERE seq IS NULL ORDER BY event_id LIMIT $1) AS n
		WHERE event.account_id = n.account_id AND event.event_id = n.event_id AND event.seq IS NULL`
	var numbered int64
	var pending bool
	err := d.o.DB.Read(ctx, func(tx *store.Tx) error { // an idle service must not commit four times a second
		return tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM event WHERE seq IS NULL)").Scan(&pending)
	})
	if err != nil || !pending {
		return 0, err
	}
	err = d.o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		numbered, err = tx.Exec(ctx, query, args...)
		return err
	})
	return numbered, err
}

// handOut goes once over all unhandled events, page by page, so that one that fails holds up no other.
func (d *Dispatcher) handOut(ctx context.Context) error {
	after := int64(0)
	for !d.allPaused() {
		if mine, err := d.hold(ctx); err != nil || !mine { // a long pass must not outlive the lease
			return err
		}
		var page []Event
		err := d.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
			page, err = list(ctx, tx, "SELECT "+columns+" FROM event WHERE unhandled AND seq > $1 ORDER BY seq LIMIT $2", after, batch)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range page {
			d.hand(ctx, e)
			after = e.Seq
		}
		if len(page) < batch || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// allPaused says that every type somebody listens to waits: then nothing needs to be read.
func (d *Dispatcher) allPaused() bool {
	now := d.o.DB.Now()
	return !slices.ContainsFunc(d.types, func(t string) bool { return !now.Before(d.paused[t]) })
}

// hand gives one event to its listeners; on failure it is tried again after a pause that doubles.
func (d *Dispatcher) hand(ctx context.Context, e Event) {
	wait, failedBefore := d.waiting[e.ID]
	if now := d.o.DB.Now(); failedBefore && now.Before(wait.at) || now.Before(d.paused[e.Type]) {
		return
	}
	err := d.o.DB.Write(ctx, func(tx *store.Tx) error {
		for _, l := range d.o.Listeners {
			if err := l.take(ctx, tx, e); err != nil {
				return err
			}
		}
		tx.Later("UPDATE event SET unhandled = FALSE WHERE account_id = $1 AND event_id = $2", e.Account, e.ID)
		return nil
	})
	if err == nil {
		delete(d.waiting, e.ID)
		return
	}
	pause := max(firstPause, min(2*wait.pause, longPause))
	d.waiting[e.ID] = retry{at: d.o.DB.Now().Add(pause), pause: pause}
	if errors.Is(err, ErrLater) {
		d.paused[e.Type] = d.waiting[e.ID].at
		return
	}
	if ctx.Err() == nil {
		d.o.Log.Error("a listener failed", "event", e.ID, "type", e.Type, "error", err)
	}
}

func (l Listener) take(ctx context.Context, tx *store.Tx, e Event) error {
	for _, t := range l.Types {
		if t == e.Type {
			if err := l.Handle(ctx, tx, e); err != nil {
				return fmt.Errorf("listener %s: %w", l.Name, err)
			}
			return nil
		}
	}
	return nil
}
