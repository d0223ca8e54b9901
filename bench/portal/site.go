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

	cluster    *rig.Cluster // nil for SQLite
	postmaster int
	counter    *counter // nil where statements are not counted
	server     *rig.Server
	client     *rig.Client
	visitors   []visitor
}

// figures are what some pages cost.
type figures struct {
	took              time.Duration
	process, database time.Duration // CPU time
	each              []time.Duration
}

func (f figures) rate() float64      { return float64(len(f.each)) / f.took.Seconds() }
func (f figures) cpu() time.Duration { return f.perPage(f.process + f.database) }
func (f figures) spread(q float64) string {
	return fmt.Sprintf("%.1f", rig.Millis(rig.Quantile(f.each, q)))
}

func (f figures) perPage(d time.Duration) time.Duration {
	return d / time.Duration(len(f.each))
}

// result is what one page showed on one engine at one concurrency.
type result struct {
	engine, page  string
	c             int
	bytes         int
	program, bare figures
	statements    float64 // a page; below 0: not counted
}

// pages are those that are measured, by where they stand for a visitor.
var pages = []struct {
	name string
	path func(v visitor) string
}{
	{"home", func(v visitor) string { return "/s/" + v.session }},
	{"verify", func(v visitor) string { return "/s/" + v.session + "/contacts/phone/verify" }},
	{"code", func(v visitor) string { return "/s/" + v.session + "/verifications/" + v.verification }},
}

// measure sets the site up, runs every page at every concurrency and takes it down.
func (s *site) measure(ctx context.Context) (results []result, err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if err := s.seat(ctx); err != nil {
		return nil, fmt.Errorf("seat the visitors: %w", err)
	}
	time.Sleep(settle)
	for _, p := range pages {
		of, err := s.measurePage(ctx, p.name, p.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		results = append(results, of...)
	}
	return results, nil
}

func (s *site) measurePage(ctx context.Context, name string, path func(v visitor) string) (results []result, err error) {
	asked := func(i int) request {
		v := s.visitors[i%len(s.visitors)]
		return request{s.server.URL + path(v), v.cookie}
	}
	first, err := fetch(ctx, asked(0))
	if err != nil {
		return nil, err
	}
	bare, err := startBare(ctx, first)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	for _, c := range s.o.concurrencies {
		r := result{engine: s.engine, page: name, c: c, bytes: len(first.Body), statements: -1}
		stop, err := s.profile(name, c)
		if err != nil {
			return nil, err
		}
		if r.program, err = s.run(ctx, c, asked, s.server.PID, s.postmaster); err != nil {
			return nil, err
		}
		if err := stop(); err != nil {
			return nil, err
		}
		if s.counter != nil {
			r.statements = s.counter.perPage(len(r.program.each), r.program.took)
		}
		if r.bare, err = s.run(ctx, c, func(int) request { return request{bare.url, ""} }, bare.pid, 0); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// run asks for the pages, c at a time, after a tenth as many that are not counted.
func (s *site) run(ctx context.Context, c int, asked func(i int) request, process, database int) (f figures, err error) {
	warm := max(len(s.visitors), s.o.n/10)
	if err := rig.Each(c, warm, func(i int) error { _, err := fetch(ctx, asked(i)); return err }); err != nil {
		return f, err
	}
	if s.counter != nil {
		if err := s.counter.begin(ctx); err != nil {
			return f, err
		}
	}
	before, err := spent(process, database)
	if err != nil {
		return f, err
	}
	f.each = make([]time.Duration, s.o.n)
	began := time.Now()
	err = rig.Each(c, s.o.n, func(i int) error {
		sent := time.Now()
		_, err := fetch(ctx, asked(i))
		f.each[i] = time.Since(sent)
		return err
	})
	f.took = time.Since(began)
	if err != nil {
		return f, err
	}
	after, err := spent(process, database)
	f.process, f.database = after.process-before.process, after.database-before.database
	if s.counter != nil {
		err = errors.Join(err, s.counter.end(ctx))
	}
	return f, err
}

func spent(process, database int) (f figures, err error) {
	if f.process, err = rig.CPU(process); err != nil || database == 0 {
		return f, err
	}
	f.database, err = rig.FamilyCPU(database)
	return f, err
}

// open starts the server on a new database.
func (s *site) open(ctx context.Context) error {
	url := "sqlite:" + filepath.Join(s.dir, "own.db")
	if s.engine != "sqlite" {
		own, err := s.openPostgres(ctx)
		if err != nil {
			return err
		}
		url = own
	}
	s.program = s.program.With(map[string]string{"DATA": filepath.Join(s.dir, "data"), "DATABASE_URL": url})
	key, err := s.program.Run(ctx, "key", "create", "--name", "bench", "--scope", "all")
	if err != nil {
		return err
	}
	if s.server, err = s.program.Serve(ctx); err != nil {
		return err
	}
	s.client = rig.NewClient(s.server.URL, key, 8)
	return nil
}

func (s *site) openPostgres(ctx context.Context) (url string, err error) {
	s.cluster = &rig.Cluster{URL: s.o.database}
	if s.o.database == "" {
		if s.cluster, err = rig.StartCluster(ctx, counterSettings...); err != nil {
			return "", err
		}
	}
	if s.postmaster, err = rig.Postmaster(ctx, s.cluster.URL); err != nil {
		return "", err
	}
	if url, err = s.cluster.Database(ctx, "bench_portal"); err != nil || s.o.database != "" {
		return url, err
	}
	s.counter, err = openCounter(ctx, url)
	return url, err
}

func (s *site) close() (err error) {
	if s.server != nil {
		s.client.Close()
		err = s.server.Stop()
	}
	if s.counter != nil {
		err = errors.Join(err, s.counter.close())
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Close())
	}
	return err
}

// profile starts the server's CPU profile, if one is wanted, and returns what ends it.
func (s *site) profile(page string, c int) (stop func() error, err error) {
	if s.o.profile == "" {
		return func() error { return nil }, nil
	}
	return s.server.Profile(filepath.Join(s.o.profile, fmt.Sprintf("%s-%s-c%d.pprof", s.engine, page, c)))
}
