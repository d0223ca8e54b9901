// Command crash shows that nothing that was accepted is lost: it kills the server with SIGKILL at random moments under load, starts it
// again, and holds what it finds at the end against every answer that it was given and against the mail server's log.
//
// Several workers make accounts, set their contacts, start verifications, have codes sent again and hand them in. They note each answer of
// 2xx; what a kill left unanswered may have happened or not. At the end the server runs, the queue is given time to empty, and then:
//
//   - every account, contact and verification that was answered with 2xx can be read, and what was verified is verified;
//   - every message that was accepted reached the mail server under its own Message-ID (perhaps twice), or ended expired;
//   - no verification was consumed twice;
//   - a code that waited through all crashes still works.
//
// A breach of these ends the command with exit status 1 and leaves the data for a look at it.
//
//	go run ./bench/crash -engine sqlite,postgres -kills 50
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"countersign.dev/bench/rig"
)

func main() { rig.Main("bench/crash", command) }

func command(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("crash", flag.ContinueOnError)
	engines := f.String("engine", "sqlite,postgres", "the database engines")
	kills := f.Int("kills", 50, "how often the server is killed on each engine")
	workers := f.Int("workers", 12, "how many accounts are worked on at a time")
	database := f.String("database", "", "the URL of a superuser on a PostgreSQL server, in place of one of our own")
	markdown := f.Bool("markdown", false, "print the table in Markdown")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "countersign-bench-crash-")
	if err != nil {
		return err
	}
	program, err := rig.Build(ctx, dir, false)
	if err != nil {
		return err
	}
	cluster := &rig.Cluster{URL: *database}
	defer func() { _ = cluster.Close() }() // it is of no use to anybody whatever comes of that
	table := rig.Table{Head: head}
	var breaches []string
	for engine := range strings.SplitSeq(*engines, ",") {
		t := trial{Program: program, Dir: filepath.Join(dir, engine), Kills: *kills, Workers: *workers}
		if t.Database, err = databaseFor(ctx, engine, cluster, t.Dir); err != nil {
			return err
		}
		found, err := t.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		table.Add(found.row(engine)...)
		breaches = append(breaches, found.breaches...)
	}
	if err := table.Print(out, *markdown); err != nil {
		return err
	}
	if len(breaches) > 0 {
		return fmt.Errorf("%d promises were broken; the data is in %s:\n%s", len(breaches), dir, strings.Join(breaches, "\n"))
	}
	return os.RemoveAll(dir)
}

// databaseFor returns the URL of a new database, starting a PostgreSQL server if there is none yet.
func databaseFor(ctx context.Context, engine string, c *rig.Cluster, dir string) (url string, err error) {
	if engine == "sqlite" {
		return "sqlite:" + filepath.Join(dir, "countersign.db"), nil
	}
	if c.URL == "" {
		started, err := rig.StartCluster(ctx)
		if err != nil {
			return "", err
		}
		*c = *started
	}
	return c.Database(ctx, "bench_crash")
}
