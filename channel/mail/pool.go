package mail

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

var errClosed = errors.New("the mail sender is closed")

// pool keeps sessions for the next message, at most as many as there are slots, in use and idle together.
//
// An idle session is not asked whether it still lives: whoever finds it dead gets a fresh one, which costs a round trip only then.
type pool struct {
	dial    func(context.Context) (*session, error)
	slots   chan struct{} // one held for each session in use
	closing chan struct{}
	perConn int           // messages after which a session is given up
	idle    time.Duration // after which it is closed

	mu     sync.Mutex
	free   []*session // the last used is at the end, and used first, so that what is not needed ages
	reaper *time.Timer
	closed bool
}

// get returns a session, waiting for a slot if need be. With fresh it is a new one, and those that are idle are given up too: what
// happened to one of them has likely happened to all.
func (p *pool) get(ctx context.Context, fresh bool) (*session, error) {
	select {
	case <-p.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case p.slots <- struct{}{}:
	}
	if fresh {
		p.drop(0)
	} else if s := p.pop(); s != nil {
		return s, nil
	}
	s, err := p.dial(ctx)
	if err != nil {
		<-p.slots
	}
	return s, err
}

func (p *pool) pop() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return nil
	}
	last := len(p.free) - 1
	s := p.free[last]
	p.free = p.free[:last]
	return s
}

// put takes a session back.
func (p *pool) put(s *session) {
	defer func() { <-p.slots }()
	if s.broken || s.sent >= p.perConn || !p.keep(s) {
		s.quit()
	}
}

func (p *pool) keep(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	s.idleSince = time.Now()
	p.free = append(p.free, s)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.idle, p.reap)
	}
	return true
}

// reap closes what has been idle for too long and comes again while there are others.
func (p *pool) reap() {
	p.drop(p.idle)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
	case len(p.free) == 0:
		p.reaper = nil
	default:
		p.reaper.Reset(p.idle)
	}
}

// drop closes the sessions that have been idle for d or longer.
func (p *pool) drop(d time.Duration) {
	p.mu.Lock()
	now := time.Now()
	young := slices.IndexFunc(p.free, func(s *session) bool { return now.Sub(s.idleSince) < d })
	if young < 0 {
		young = len(p.free)
	}
	old := slices.Clone(p.free[:young])
	p.free = slices.Delete(p.free, 0, young)
	p.mu.Unlock()
	for _, s := range old {
		s.quit()
	}
}

// close gives every session up once it is idle. It returns when none is in use.
func (p *pool) close() {
	p.mu.Lock()
	already := p.closed
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	p.mu.Unlock()
	if already {
		return
	}
	close(p.closing)
	p.drop(0)
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
}
