// Command countersign serves Countersign and works on its data from the command line.
//
// It is the only place that knows every package: it reads the settings and wires the parts together. A subcommand
// exits with 0 when it has done its work, 1 when it failed and 2 when it was used wrongly; results go to standard
// output, everything else to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // accounts live in zones that the machine need not know

	"github.com/alecthomas/kong"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// terminal is what a subcommand reads from and writes to.
type terminal struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
}

const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// run carries out one command line and returns its exit status.
func run(ctx context.Context, args []string, t terminal) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("countersign"),
		kong.Description(i18n.Text(t.locale(), "cli.description")),
		kong.Writers(t.out, t.err),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t),
		helpTexts(t.locale()),
	)
	if err != nil {
		fmt.Fprintln(t.err, err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(t.err, "countersign: %v\n", err)
		fmt.Fprintln(t.err, i18n.Text(t.locale(), "cli.see-help"))
		return exitUsage
	}
	if err := parsed.Run(&c.Global); err != nil {
		t.complain(err)
		return exitOf(err)
	}
	return exitDone
}

// errUsage marks what was asked for wrongly.
var errUsage = errors.New("usage")

func exitOf(err error) int {
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailed
}

// complain says what went wrong in the reader's language; a foreign error, which has no text there, is shown as it is.
func (t terminal) complain(err error) {
	var f *fault.Error
	if errors.As(err, &f) && f.ID != "internal" {
		fmt.Fprintf(t.err, "countersign: %s [%s]\n", fault.Text(t.locale(), f), f.ID)
		return
	}
	fmt.Fprintf(t.err, "countersign: %v\n", err)
}

// locale is the language of the terminal.
func (t terminal) locale() i18n.Locale {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := t.getenv(name); v != "" {
			return i18n.Match(posixTag(v))
		}
	}
	return i18n.En
}
