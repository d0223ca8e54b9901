package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"countersign.dev/bench/rig"
)

// trial is one engine's run.
type trial struct {
	Program  rig.Program
	Dir      string // for the data
	Database string // the URL of an empty database
	Kills    int
	Workers  int

	mailbox *rig.Mailbox
	key     string
	server  *rig.Server
	client  atomic.Pointer[rig.Client] // of the server as it was last started
}

// run kills, restarts and audits.
func (t *trial) run(ctx context.Context) (found finding, err error) {
	if err := os.MkdirAll(t.Dir, 0o700); err != nil {
		return found, err
	}
	if t.mailbox, err = rig.OpenMailbox(t.Dir); err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, t.mailbox.Close()) }()
	t.Program = t.Program.With(map[string]string{
		"DELIVERY_LEASE": "10s", // what a killed server had taken comes free again soon
		"DATA":           filepath.Join(t.Dir, "data"), "DATABASE_URL": t.Database, "LOG_LEVEL": "warn",
		"SMTP_URL": t.mailbox.URL(), "MAIL_FROM": "notices@platform.example",
		"VERIFY_COOLDOWN": coolDown.String(),
	})
	if t.key, err = t.Program.Run(ctx, "key", "create", "--name", "bench", "--scope", "all"); err != nil {
		return found, err
	}
	if err := t.start(ctx); err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, t.server.Stop()) }()
	workers, err := t.crash(ctx)
	if err != nil {
		return found, err
	}
	a := audit{client: t.client.Load(), mailbox: t.mailbox, feed: newFeed()}
	a.found.kills = t.Kills
	for _, w := range workers {
		a.books = append(a.books, w.books...)
		a.found.answered += w.answered
		a.found.cut += w.cut
	}
	return a.run(ctx)
}

func (t *trial) start(ctx context.Context) (err error) {
	if t.server, err = t.Program.Serve(ctx); err != nil {
		return err
	}
	if old := t.client.Swap(rig.NewClient(t.server.URL, t.key, t.Workers)); old != nil {
		old.Close()
	}
	return nil
}

// crash kills and restarts the server while the workers work. They come back with what they noted.
func (t *trial) crash(ctx context.Context) ([]worker, error) {
	working, enough := context.WithCancel(ctx)
	defer enough()
	workers := make([]worker, t.Workers)
	var all sync.WaitGroup
	for i := range workers {
		workers[i] = worker{number: i, client: &t.client, mailbox: t.mailbox}
		all.Go(func() { workers[i].work(working) })
	}
	var err error
	for n := 0; n < t.Kills && err == nil; n++ {
		if err = pause(ctx, moment()); err == nil {
			err = errors.Join(t.server.Kill(), t.start(ctx))
		}
	}
	enough()
	all.Wait()
	for _, w := range workers {
		err = errors.Join(err, w.err)
	}
	return workers, err
}

// moment is how long a server lives, 200 to 1,500 ms.
func moment() time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(1300))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return 200*time.Millisecond + time.Duration(n.Int64())*time.Millisecond
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// finding is what the audit found.
type finding struct {
	kills    int
	answered int // requests with 2xx
	cut      int // requests without an answer, those included that found no server
	verified int
	messages int // that were accepted
	repeated int // letters that came again
	expired  int // messages that ended so
	drained  time.Duration
	breaches []string
}

var head = []string{
	"engine", "kills", "2xx", "unanswered", "verified", "messages", "came twice", "expired", "queue empty after", "promises broken",
}

func (f finding) row(engine string) []any {
	return []any{
		engine, f.kills, f.answered, f.cut, f.verified, f.messages, f.repeated, f.expired,
		f.drained.Round(100 * time.Millisecond), len(f.breaches),
	}
}

func (f *finding) breach(format string, args ...any) {
	f.breaches = append(f.breaches, fmt.Sprintf(format, args...))
}
