package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
)

const (
	// jobTimeout ends the context of a job. What takes longer works in portions and puts in the next one itself.
	jobTimeout = 3 * time.Minute
	// jobRescue is when the job of a process that died runs again.
	jobRescue = 5 * time.Minute
	// jobWorkers is how many jobs one node works at a time.
	jobWorkers = 8
)

// jobClient is River on either engine.
type jobClient interface {
	insert(ctx context.Context, tx any, args river.JobArgs, opts *river.InsertOpts) error
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// client is River over the transactions of one engine.
type client[T any] struct{ *river.Client[T] }

func (c client[T]) insert(ctx context.Context, tx any, args river.JobArgs, opts *river.InsertOpts) error {
	_, err := c.InsertTx(ctx, tx.(T), args, opts)
	return err
}

func (l *lite) jobClient(cfg *river.Config) (jobClient, error) {
	// River would poll SQLite for notices twenty times a second; instead it looks for jobs once a second.
	cfg.PollOnly = true
	c, err := river.NewClient(riversqlite.New(l.shared), quiet(cfg))
	return client[*sql.Tx]{c}, err
}

func (p *postgres) jobClient(cfg *river.Config) (jobClient, error) {
	cfg.FetchPollInterval = 5 * time.Second // PostgreSQL notifies of new jobs
	c, err := river.NewClient(riverpgxv5.New(p.pool), quiet(cfg))
	return client[pgx.Tx]{c}, err
}

func quiet(cfg *river.Config) *river.Config {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// Jobs works what is periodic or long, on every node that starts it. A job runs at least once; its function must bear
// to run again. Register everything before Start.
type Jobs struct {
	db       *DB
	workers  *river.Workers
	periodic []*river.PeriodicJob
	sweeps   map[string]func(ctx context.Context) error
	client   jobClient
	inTest   bool // River starts its services without a pause
}

// Jobs is the one set of jobs of this database.
func (db *DB) Jobs() *Jobs { return db.jobs }

func newJobs(db *DB) *Jobs {
	return &Jobs{db: db, workers: river.NewWorkers(), sweeps: map[string]func(context.Context) error{}}
}

// Work has fn called for each job of the type that Tx.Enqueue puts in. An error or a panic has it run again later;
// the context ends after three minutes.
func Work[T river.JobArgs](j *Jobs, fn func(ctx context.Context, args T) error) {
	river.AddWorker(j.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error {
		return fn(ctx, job.Args)
	}))
}

// sweepArgs is the job of one round of a periodic function.
type sweepArgs struct {
	Name string `json:"name" river:"unique"`
}

// Kind is the name of these jobs in the database.
func (sweepArgs) Kind() string { return "periodic" }

// Periodic has fn called at start and then at every interval, by one node at a time: a round is left out while the
// one before still runs. A failed round is logged and not repeated; the next one comes in time.
func (j *Jobs) Periodic(name string, every time.Duration, fn func(ctx context.Context) error) {
	j.sweeps[name] = fn
	opts := &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
	j.periodic = append(j.periodic, river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{Name: name}, opts },
		&river.PeriodicJobOpts{RunOnStart: true}))
}

func (j *Jobs) sweep(ctx context.Context, args sweepArgs) error {
	fn, ok := j.sweeps[args.Name]
	if !ok { // put in by a node of another version
		return river.JobCancel(fmt.Errorf("store: no periodic job %q here", args.Name))
	}
	return fn(ctx)
}

// Start begins to work jobs. When ctx ends, they are stopped as by Stop without a time limit.
func (j *Jobs) Start(ctx context.Context) error {
	if j.client != nil {
		return errors.New("store: the jobs were started before")
	}
	Work(j, j.sweep)
	c, err := j.db.engine.jobClient(&river.Config{
		CompletedJobRetentionPeriod: time.Hour,
		FetchCooldown:               50 * time.Millisecond,
		FetchPollInterval:           time.Second,
		JobTimeout:                  jobTimeout,
		Logger:                      warnOnly(j.db.log),
		PeriodicJobs:                j.periodic,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobWorkers}},
		RescueStuckJobsAfter:        jobRescue,
		TestOnly:                    j.inTest,
		Workers:                     j.workers,
	})
	if err != nil {
		return fmt.Errorf("store: jobs: %w", err)
	}
	j.client = c
	return c.Start(ctx)
}

// Stop takes no more jobs and waits for those that run; when ctx ends first, it ends their contexts.
func (j *Jobs) Stop(ctx context.Context) error {
	if j.client == nil {
		return nil
	}
	if err := j.client.Stop(ctx); err == nil || ctx.Err() == nil {
		return err
	}
	return j.client.StopAndCancel(context.WithoutCancel(ctx))
}

// warnOnly drops what a library logs below warnings, and what it says about work that ended because we stopped it.
func warnOnly(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// Handle drops complaints about a context that ended.
func (w warnings) Handle(ctx context.Context, r slog.Record) error {
	stopped := false
	r.Attrs(func(a slog.Attr) bool {
		stopped = stopped || strings.HasSuffix(a.Value.String(), context.Canceled.Error())
		return !stopped
	})
	if stopped {
		return nil
	}
	return w.Handler.Handle(ctx, r)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
