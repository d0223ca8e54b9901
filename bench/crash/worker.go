package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"countersign.dev/bench/rig"
)

const (
	// coolDown before a code is sent again, the shortest that can be set.
	coolDown = time.Second
	// patience is how long a worker waits for a letter; a crash may hold it up for longer.
	patience = 1500 * time.Millisecond
)

// account is what a worker asked for an account and what it was answered.
type account struct {
	id            string
	address       string
	named, asked  int  // the number in its name: as it was answered last, and as it was asked for last
	reachable     bool // its address was answered
	verifications []*verification
}

// verification is one that was answered with 201.
type verification struct {
	id       string
	resent   int // answered
	verified int // checks answered with 200; more than one is a breach
}

// worker takes one account after the other through its life.
type worker struct {
	number  int
	client  *atomic.Pointer[rig.Client]
	mailbox *rig.Mailbox

	books    []*account
	answered int
	cut      int
	err      error // an answer that no crash explains
}

// work goes on until ctx ends or an answer is not to be explained.
func (w *worker) work(ctx context.Context) {
	for n := 0; ctx.Err() == nil && w.err == nil; n++ {
		a := &account{id: fmt.Sprintf("w%d-%d", w.number, n)}
		a.address = a.id + "@mail.example"
		w.books = append(w.books, a)
		w.live(ctx, a, n)
	}
}

// live is an account's life. What a crash cuts off is asked again where that is what an integrator would do.
func (w *worker) live(ctx context.Context, a *account, n int) {
	if !w.name(ctx, a) || !w.insist(ctx, func(c *rig.Client) error { return c.PutEmail(ctx, a.id, a.address) }) {
		return
	}
	a.reachable = true
	arrival := w.mailbox.Expect(a.address)
	v, ok := w.begin(ctx, a)
	if !ok {
		return
	}
	code := w.wait(ctx, arrival)
	if n%3 == 0 {
		if pause(ctx, coolDown) != nil {
			return
		}
		arrival = w.mailbox.Expect(a.address)
		if w.resend(ctx, v) {
			code = w.wait(ctx, arrival)
		}
	}
	if n%4 == 0 && !w.name(ctx, a) {
		return
	}
	if code == "" {
		return // it comes later, and the audit hands it in
	}
	for range 1 + n%2 { // at times once more: it must not work twice
		w.check(ctx, v, code)
	}
}

// name puts the account with a new name, until that is answered.
func (w *worker) name(ctx context.Context, a *account) bool {
	a.asked++
	name := fmt.Sprintf("Lotus %d", a.asked)
	ok := w.insist(ctx, func(c *rig.Client) error { return c.PutAccount(ctx, a.id, name) })
	if ok {
		a.named = a.asked
	}
	return ok
}

// insist asks until there is an answer.
func (w *worker) insist(ctx context.Context, ask func(c *rig.Client) error) bool {
	for {
		switch w.outcome(ctx, ask(w.client.Load())) {
		case done:
			return true
		case refused:
			return false
		case unknown:
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return false
		}
	}
}

func (w *worker) begin(ctx context.Context, a *account) (*verification, bool) {
	started, err := w.client.Load().Start(ctx, a.id)
	if w.outcome(ctx, err) != done {
		return nil, false
	}
	v := &verification{id: started.ID}
	a.verifications = append(a.verifications, v)
	return v, true
}

func (w *worker) resend(ctx context.Context, v *verification) bool {
	_, err := w.client.Load().Resend(ctx, v.id)
	if w.outcome(ctx, err, "resend-too-soon") != done {
		return false
	}
	v.resent++
	return true
}

// check hands the code in until there is an answer. After one that was cut off, it may have been used.
func (w *worker) check(ctx context.Context, v *verification, code string) {
	verified := false
	ok := w.insist(ctx, func(c *rig.Client) error {
		err := c.Check(ctx, v.id, code)
		verified = err == nil
		if is(err, "already-used") {
			return nil
		}
		return err
	})
	if ok && verified {
		v.verified++
	}
}

// wait returns the code of the letter, "" when it does not come.
func (w *worker) wait(ctx context.Context, arrival <-chan rig.Letter) string {
	select {
	case l := <-arrival:
		return l.Code
	case <-time.After(patience):
	case <-ctx.Done():
	}
	return ""
}

// outcome of a request, as its sender knows it.
type outcome int

const (
	done    outcome = iota // it was answered with 2xx
	refused                // it was answered otherwise, and is not carried out
	unknown                // no answer came
)

// outcome sorts an answer. Refusals that are to be expected are named; another one ends the worker.
func (w *worker) outcome(ctx context.Context, err error, expected ...string) outcome {
	var p *rig.Problem
	switch {
	case err == nil:
		w.answered++
		return done
	case !errors.As(err, &p):
		if ctx.Err() == nil {
			w.cut++
		}
		return unknown
	case !is(err, expected...):
		w.err = errors.Join(w.err, err)
	}
	return refused
}

// is tells whether the answer is one of these problems.
func is(err error, ids ...string) bool {
	var p *rig.Problem
	if !errors.As(err, &p) {
		return false
	}
	for _, id := range ids {
		if p.ID == id {
			return true
		}
	}
	return false
}
