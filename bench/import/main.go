// Command import measures how fast package importer brings a file in, and in how much memory.
//
// It imports a tenth of the rows, then all of them, each into a new database of each engine. Beside each it writes the very rows that
// the import left behind into another new database, as plainly as the engine allows: INSERTs of many rows on SQLite, COPY on
// PostgreSQL. How often the bare way is faster says what everything but writing costs; the memory of the two imports shows whether it
// grows with the file.
//
//	go run ./bench/import -engine sqlite,postgres -rows 100000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"countersign.dev/bench/rig"
)

// options are the command's flags.
type options struct {
	engines  []string
	rows     int
	batch    int
	markdown bool
	database string
}

func main() { rig.Main("bench/import", run) }

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	var results []result
	for _, engine := range o.engines {
		of, err := o.measure(ctx, engine)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		results = append(results, of...)
	}
	return report(out, results, o.markdown)
}

func parseFlags(args []string) (o options, err error) {
	f := flag.NewFlagSet("import", flag.ContinueOnError)
	engines := f.String("engine", "sqlite,postgres", "the database engines")
	f.IntVar(&o.rows, "rows", 100_000, "rows of the larger file; the smaller one has a tenth")
	f.IntVar(&o.batch, "batch", 0, "rows in a transaction; 0: as many as the importer takes by itself")
	f.BoolVar(&o.markdown, "markdown", false, "print the table in Markdown")
	f.StringVar(&o.database, "database", "", "the URL of a superuser on a PostgreSQL server of this machine, in place of one of our own")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.rows < 10 {
		return o, errors.New("-rows: at least 10")
	}
	o.engines = strings.Split(*engines, ",")
	return o, nil
}

// measure imports both files on one engine.
func (o options) measure(ctx context.Context, engine string) (results []result, err error) {
	p, err := openPlace(ctx, engine, o.database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for _, rows := range []int{o.rows / 10, o.rows} {
		r, err := measure(ctx, p, rows, o.batch)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// report prints a line for each import.
func report(out io.Writer, results []result, markdown bool) error {
	t := rig.Table{Head: []string{"engine", "rows", "import rows/s", "bare rows/s", "bare faster by", "CPU µs/row", "of the server", "peak MiB"}}
	for _, r := range results {
		t.Add(r.engine, r.rows, int(r.perSecond(r.took)), int(r.perSecond(r.bare)), fmt.Sprintf("%.1f", r.took.Seconds()/r.bare.Seconds()),
			r.perRow(r.cpu), r.perRow(r.serverCPU), fmt.Sprintf("%.1f", float64(r.peak)/(1<<20)))
	}
	return t.Print(out, markdown)
}
