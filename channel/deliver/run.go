package deliver

import (
	"context"
	"sync"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

type outgoing struct {
	claimed Claimed
	message Message
	key     seal.DataKey
}

type outcome struct {
	claimed Claimed
	key     seal.DataKey
	result  Result
}

// Run claims, sends and records until ctx ends; then it finishes what is under way, in at most ten seconds.
func (q *Queue) Run(ctx context.Context) {
	defer close(q.idle)
	finish, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(10*time.Second, cancel) })
	defer stop()

	var workers, recorder sync.WaitGroup
	for range q.o.Workers {
		workers.Go(func() {
			for out := range q.sends {
				if !out.claimed.LeasedUntil.After(q.o.DB.Now()) {
					q.release(1) // it waited for longer than its lease: whoever claims it next sends it
					continue
				}
				q.done <- outcome{out.claimed, out.key, q.send(finish, out)}
			}
		})
	}
	recorder.Go(func() { q.record(context.WithoutCancel(ctx)) }) // what has left is recorded, however long the stop takes
	if q.o.Alone {
		if err := q.recover(ctx); err != nil {
			q.o.Log.Error("what was left of an earlier run waits for its lease", "error", err)
		}
	}
	q.admit(true)
	q.claimUntil(ctx)
	q.admit(false)
	close(q.sends)
	workers.Wait()
	close(q.done)
	recorder.Wait()
}

// admit says whether messages may be handed over.
func (q *Queue) admit(open bool) {
	q.gate.Lock()
	defer q.gate.Unlock()
	q.open = open
}

// Ended is closed once Run has returned.
func (q *Queue) Ended() <-chan struct{} { return q.idle }

func (q *Queue) claimUntil(ctx context.Context) {
	tick := time.NewTicker(q.o.Sweep)
	defer tick.Stop()
	q.Poke() // what a process before this one left behind
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-q.wake:
			q.take(ctx, q.gather(first))
		case <-tick.C:
			q.sweepAll(ctx)
		case <-q.sweep:
			q.sweepAll(ctx)
		}
	}
}

// gather adds to the first what else waits, so that one claim serves them all.
func (q *Queue) gather(first ref) []ref {
	refs := []ref{first}
	for len(refs) < batch {
		select {
		case r := <-q.wake:
			refs = append(refs, r)
		default:
			return refs
		}
	}
	return refs
}

func (q *Queue) sweepAll(ctx context.Context) {
	for ctx.Err() == nil {
		refs, err := q.due(ctx, batch)
		if err != nil {
			q.o.Log.Error("the sweep for deliveries failed", "error", err)
			return
		}
		if len(refs) == 0 {
			return
		}
		if !q.take(ctx, refs) {
			return
		}
	}
}

// take claims deliveries and hands them to the workers; it waits while too many are under way. It reports
// whether it claimed any.
func (q *Queue) take(ctx context.Context, refs []ref) bool {
	for n := range refs {
		select {
		case q.flight <- struct{}{}:
		case <-ctx.Done():
			q.release(n)
			return false
		}
	}
	claimed, err := q.claim(ctx, refs)
	live := q.inTime(claimed)
	if err == nil && len(live) > 0 {
		err = q.compose(ctx, live)
	}
	if err != nil {
		q.release(len(refs) - len(claimed) + len(live))
		if ctx.Err() == nil {
			q.o.Log.Error("deliveries could not be claimed", "error", err)
		}
		return false
	}
	q.release(len(refs) - len(claimed))
	return len(claimed) > 0
}

// inTime returns those whose expiry has not come, and has the others recorded.
func (q *Queue) inTime(claimed []Claimed) (live []Claimed) {
	now := q.o.DB.Now()
	for _, c := range claimed {
		if c.ExpiresAt.After(now) {
			live = append(live, c)
		} else {
			q.done <- outcome{claimed: c, result: Result{Outcome: timeOver}}
		}
	}
	return live
}

func (q *Queue) release(n int) {
	for range n {
		<-q.flight
	}
}

func (q *Queue) compose(ctx context.Context, claimed []Claimed) error {
	var composed []Composed
	err := q.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		composed, err = q.o.Compose(ctx, tx, claimed)
		return err
	})
	if err != nil {
		return err
	}
	for i, c := range composed {
		if c.Err != nil {
			// Most likely its account was erased between the claim and now; if not, the lease brings it back.
			q.o.Log.Warn("a delivery could not be composed", "delivery", claimed[i].ID, "error", c.Err)
			q.release(1)
			continue
		}
		q.sends <- outgoing{claimed[i], claimed[i].message(c.To, c.Content), c.Key}
	}
	return nil
}

// send gives one message to its channel, unless its time is over: a code must not arrive after it has expired.
func (q *Queue) send(ctx context.Context, out outgoing) Result {
	now := q.o.DB.Now()
	left := out.claimed.ExpiresAt.Sub(now)
	if left <= 0 {
		return Result{Outcome: timeOver}
	}
	sender := q.o.Senders[out.claimed.Channel]
	if sender == nil {
		return Result{Outcome: Retry, Words: "no sender for this channel"}
	}
	ctx, cancel := context.WithTimeout(ctx, min(left, out.claimed.LeasedUntil.Sub(now)))
	defer cancel()
	return sender.Send(ctx, out.message)
}
