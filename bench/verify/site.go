package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"countersign.dev/bench/rig"
)

// settle is how long the server gets to finish what it puts off, such as numbering events: it does so several times a second.
const settle = 2 * time.Second

// site is the program on one engine, with what stands around it.
type site struct {
	o       options
	engine  string
	dir     string
	program rig.Program
	mailbox *rig.Mailbox

	cluster    *rig.Cluster // nil for SQLite
	postmaster int
	server     *rig.Server
	client     *rig.Client
	accounts   int // made so far
}

// figures are what some verifications cost.
type figures struct {
	N        int
	Took     time.Duration
	Process  time.Duration // CPU time of the process that does the work
	Database time.Duration // CPU time of PostgreSQL
}

func (f figures) rate() float64               { return float64(f.N) / f.Took.Seconds() }
func (f figures) process() time.Duration      { return f.Process / time.Duration(f.N) }
func (f figures) database() time.Duration     { return f.Database / time.Duration(f.N) }
func (f figures) verification() time.Duration { return f.process() + f.database() }

// result is what one engine showed at one concurrency.
type result struct {
	engine  string
	c       int
	program figures
	samples []sample
	bare    figures
}

// measure sets the site up, runs it at every concurrency and takes it down.
func (s *site) measure(ctx context.Context) (results []result, err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	bare, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range s.o.concurrencies {
		r, size, err := s.measureAt(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("c=%d: %w", c, err)
		}
		r.bare, err = runBare(ctx, bareJob{
			Engine: s.engine, URL: bare, Postmaster: s.postmaster, SMTP: s.mailbox.URL(), Size: size, C: c, N: s.o.n,
		})
		if err != nil {
			return nil, fmt.Errorf("c=%d, bare: %w", c, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// open makes two databases with the program's schema, one for the program and one for the bare loop, whose URL it returns, and starts the
// server.
func (s *site) open(ctx context.Context) (bare string, err error) {
	own, bare, err := s.databases(ctx)
	if err != nil {
		return "", err
	}
	forBare := s.program.With(map[string]string{"DATA": filepath.Join(s.dir, "bare"), "DATABASE_URL": bare})
	if _, err := forBare.Run(ctx, "migrate"); err != nil {
		return "", err
	}
	s.program = s.program.With(map[string]string{"DATA": filepath.Join(s.dir, "data"), "DATABASE_URL": own})
	key, err := s.program.Run(ctx, "key", "create", "--name", "bench", "--scope", "all")
	if err != nil {
		return "", err
	}
	if s.server, err = s.program.Serve(ctx); err != nil {
		return "", err
	}
	s.client = rig.NewClient(s.server.URL, key, 64)
	return bare, nil
}

func (s *site) databases(ctx context.Context) (own, bare string, err error) {
	if s.engine == "sqlite" {
		return "sqlite:" + filepath.Join(s.dir, "own.db"), "sqlite:" + filepath.Join(s.dir, "bare.db"), nil
	}
	s.cluster = &rig.Cluster{URL: s.o.database}
	if s.o.database == "" {
		if s.cluster, err = rig.StartCluster(ctx); err != nil {
			return "", "", err
		}
	}
	if s.postmaster, err = rig.Postmaster(ctx, s.cluster.URL); err != nil {
		return "", "", err
	}
	if own, err = s.cluster.Database(ctx, "bench_verify"); err != nil {
		return "", "", err
	}
	bare, err = s.cluster.Database(ctx, "bench_bare")
	return own, bare, err
}

func (s *site) close() (err error) {
	if s.server != nil {
		s.client.Close()
		err = s.server.Stop()
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Close())
	}
	return err
}

// measureAt runs the program at one concurrency and returns the size of its mails too.
func (s *site) measureAt(ctx context.Context, c int) (r result, size int, err error) {
	r = result{engine: s.engine, c: c, program: figures{N: s.o.n}, samples: make([]sample, s.o.n)}
	first, err := s.prepare(ctx, s.o.n)
	if err != nil {
		return r, 0, fmt.Errorf("prepare the accounts: %w", err)
	}
	stop, err := s.profile(c)
	if err != nil {
		return r, 0, err
	}
	before, err := s.cpu()
	if err != nil {
		return r, 0, err
	}
	began := time.Now()
	err = rig.Each(c, s.o.n, func(i int) (err error) {
		r.samples[i], err = s.verify(ctx, first+i)
		return err
	})
	r.program.Took = time.Since(began)
	if err != nil {
		return r, 0, err
	}
	time.Sleep(settle)
	after, err := s.cpu()
	r.program.Process, r.program.Database = after.Process-before.Process, after.Database-before.Database
	return r, r.samples[0].size, errors.Join(err, stop())
}

// prepare makes accounts with an e-mail contact, which cost nothing that is counted, and verifies some others, so that the run finds
// everything warm. It returns the number of the first account.
func (s *site) prepare(ctx context.Context, n int) (first int, err error) {
	warm := min(100, n)
	first = s.accounts
	s.accounts += n + warm
	err = rig.Each(8, n+warm, func(i int) error {
		if err := s.client.PutAccount(ctx, account(first+i), "Lotus Trading"); err != nil {
			return err
		}
		return s.client.PutEmail(ctx, account(first+i), address(first+i))
	})
	if err == nil {
		err = rig.Each(8, warm, func(i int) error {
			_, err := s.verify(ctx, first+n+i)
			return err
		})
	}
	time.Sleep(settle)
	return first, err
}

// profile starts the server's CPU profile, if one is wanted, and returns what ends it.
func (s *site) profile(c int) (stop func() error, err error) {
	if s.o.profile == "" {
		return func() error { return nil }, nil
	}
	return s.server.Profile(filepath.Join(s.o.profile, fmt.Sprintf("%s-c%d.pprof", s.engine, c)))
}

// cpu is what the server and the database have spent so far.
func (s *site) cpu() (f figures, err error) {
	if f.Process, err = rig.CPU(s.server.PID); err != nil || s.postmaster == 0 {
		return f, err
	}
	f.Database, err = rig.FamilyCPU(s.postmaster)
	return f, err
}

func account(n int) string { return fmt.Sprintf("bench-%07d", n) }
func address(n int) string { return fmt.Sprintf("contact%07d@mail.example", n) }

// sample is how one verification went.
type sample struct {
	start time.Duration // from the request to its answer
	mail  time.Duration // from the same request to the mail at the server
	check time.Duration
	size  int // of the mail, in bytes
}

// verify verifies one account's address.
func (s *site) verify(ctx context.Context, n int) (one sample, err error) {
	arrival := s.mailbox.Expect(address(n))
	began := time.Now()
	v, err := s.client.Start(ctx, account(n))
	if err != nil {
		return one, fmt.Errorf("start: %w", err)
	}
	one.start = time.Since(began)
	select {
	case letter := <-arrival:
		one.mail, one.size = letter.At.Sub(began), letter.Size
		began = time.Now()
		err = s.client.Check(ctx, v.ID, letter.Code)
		one.check = time.Since(began)
	case <-time.After(time.Minute):
		err = errors.New("no mail after a minute")
	case <-ctx.Done():
		err = ctx.Err()
	}
	return one, err
}
