// Command verify measures the main job: a verification by mail, from the request that starts it over the mail at an SMTP server to the
// check of its code.
//
// It builds the program, runs it as an operator does and drives it over HTTP at several concurrencies on both engines. Each account is
// verified once, so that no cool-down stands in the way. Beside it, in the same run, a process of this command does the same statements,
// commits and mails bare: no HTTP, no JSON, no sealing, nothing but drivers and sockets. What the program costs beyond that is its own.
//
// Everything shares one machine, driver and mail server included, so a rate is a floor; CPU time per verification is the figure to compare.
// It counts all that the server and PostgreSQL spend, what is put off for later (numbering events) included. A goal that is missed is said
// in words and not by the exit status.
//
//	go run ./bench/verify -engine sqlite,postgres -c 1,8,32 -n 2000
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
	dkim          bool
	markdown      bool
	database      string
	profile       string
}

func main() { rig.Main("bench/verify", run) }

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
	f := flag.NewFlagSet("verify", flag.ContinueOnError)
	engines := f.String("engine", "sqlite,postgres", "the database engines")
	concurrencies := f.String("c", "1,8,32", "how many verifications are under way at a time")
	f.IntVar(&o.n, "n", 2000, "verifications at each concurrency")
	f.BoolVar(&o.dkim, "dkim", false, "sign each mail with Ed25519 and RSA-2048")
	f.BoolVar(&o.markdown, "markdown", false, "print tables in Markdown")
	f.StringVar(&o.database, "database", "", "the URL of a superuser on a PostgreSQL server of this machine, in place of one of our own")
	f.StringVar(&o.profile, "profile", "", "a folder for CPU profiles of the server, one for each run")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.engines = strings.Split(*engines, ",")
	for word := range strings.SplitSeq(*concurrencies, ",") {
		c, err := strconv.Atoi(word)
		if err != nil || c < 1 {
			return o, fmt.Errorf("-c: %q is no number of verifications", word)
		}
		o.concurrencies = append(o.concurrencies, c)
	}
	if o.n < 1 {
		return o, errors.New("-n: there must be verifications")
	}
	return o, nil
}

// measure runs every engine at every concurrency.
func measure(ctx context.Context, o options) (results []result, err error) {
	dir, err := os.MkdirTemp("", "countersign-bench-verify-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, err := rig.Build(ctx, dir, o.profile != "")
	if err != nil {
		return nil, err
	}
	mailbox, err := rig.OpenMailbox(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, mailbox.Close()) }()
	program = program.With(map[string]string{"SMTP_URL": mailbox.URL(), "MAIL_FROM": "notices@" + domain, "LOG_LEVEL": "warn"})
	if o.dkim {
		signing, err := signingSettings(dir)
		if err != nil {
			return nil, err
		}
		program = program.With(signing)
	}
	for _, engine := range o.engines {
		s := site{o: o, engine: engine, dir: filepath.Join(dir, engine), program: program, mailbox: mailbox}
		of, err := s.measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", engine, err)
		}
		results = append(results, of...)
	}
	return results, nil
}
