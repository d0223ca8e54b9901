// Command portal measures the pages that account holders see most: home, and those on which a contact is verified.
//
// It builds the program, runs it as an operator does and asks for each page over many sessions, at several concurrencies and on both
// engines. Beside each run, in the same run, a process of this command serves the very bytes that the program answered with, and does
// nothing else: what the program costs beyond that is its own. Both stand behind the same client on the same machine, so a rate is a
// floor; CPU time per page is the figure to compare.
//
// Statements are counted by PostgreSQL (pg_stat_statements), less what the program does in the background. SQLite runs the same ones;
// a test of the program holds both to their numbers.
//
//	go run ./bench/portal -engine sqlite,postgres -c 1,8 -n 2000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"countersign.dev/bench/rig"
)

// options are the command's flags.
type options struct {
	engines       []string
	concurrencies []int
	n             int
	sessions      int
	markdown      bool
	database      string
	profile       string
}

func main() { rig.Main("bench/portal", run) }

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 1 && args[0] == bareCommand {
		return serveBare(ctx, os.Stdin, out)
	}
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	results, err := measure(ctx, o)
	if err != nil {
		return err
	}
	return report(out, results, o.markdown)
}

func parseFlags(args []string) (o options, err error) {
	f := flag.NewFlagSet("portal", flag.ContinueOnError)
	engines := f.String("engine", "sqlite,postgres", "the database engines")
	concurrencies := f.String("c", "1,8", "how many pages are asked for at a time")
	f.IntVar(&o.n, "n", 2000, "pages of each kind at each concurrency")
	f.IntVar(&o.sessions, "sessions", 100, "accounts, each with a session")
	f.BoolVar(&o.markdown, "markdown", false, "print tables in Markdown")
	f.StringVar(&o.database, "database", "", "the URL of a superuser on a PostgreSQL server of this machine, in place of one of our own; statements are then not counted")
	f.StringVar(&o.profile, "profile", "", "a folder for CPU profiles of the server, one for each run")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.engines = strings.Split(*engines, ",")
	for word := range strings.SplitSeq(*concurrencies, ",") {
		c, err := strconv.Atoi(word)
		if err != nil || c < 1 {
			return o, fmt.Errorf("-c: %q is no number of pages", word)
		}
		o.concurrencies = append(o.concurrencies, c)
	}
	if o.n < 1 || o.sessions < 1 {
		return o, errors.New("-n, -sessions: there must be pages and sessions")
	}
	return o, nil
}

// measure runs every engine, page and concurrency.
func measure(ctx context.Context, o options) (results []result, err error) {
	dir, err := os.MkdirTemp("", "countersign-bench-portal-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, err := rig.Build(ctx, dir, o.profile != "")
	if err != nil {
		return nil, err
	}
	program = program.With(map[string]string{"RETURN_URLS": returnURL, "LOG_LEVEL": "warn"})
	for _, engine := range o.engines {
		s := site{o: o, engine: engine, dir: filepath.Join(dir, engine), program: program}
		of, err := s.measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", engine, err)
		}
		results = append(results, of...)
	}
	return results, nil
}
