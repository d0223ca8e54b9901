package main

import (
	"fmt"
	"io"
	"time"

	"countersign.dev/bench/rig"
)

// goalBusy is the goal for the 99th percentile, 8 at a time.
const goalBusy = 20 * time.Millisecond

// report prints what was measured and how it stands to the goal.
func report(w io.Writer, results []result, markdown bool) error {
	for _, t := range []rig.Table{speeds(results), costs(results), goals(results)} {
		if err := t.Print(w, markdown); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return nil
}

func speeds(results []result) rig.Table {
	t := rig.Table{Head: []string{"page", "engine", "c", "kB", "pages/s", "p50 ms", "p99 ms", "bare: pages/s", "p50 ms", "p99 ms"}}
	for _, r := range results {
		t.Add(r.page, r.engine, r.c, fmt.Sprintf("%.1f", float64(r.bytes)/1000),
			fmt.Sprintf("%.0f", r.program.rate()), r.program.spread(0.5), r.program.spread(0.99),
			fmt.Sprintf("%.0f", r.bare.rate()), r.bare.spread(0.5), r.bare.spread(0.99))
	}
	return t
}

func costs(results []result) rig.Table {
	t := rig.Table{Head: []string{"page", "engine", "c", "statements", "CPU ms a page: server", "database", "sum", "bare", "CPU to bare"}}
	for _, r := range results {
		t.Add(r.page, r.engine, r.c, counted(r.statements),
			millis(r.program.perPage(r.program.process)), millis(r.program.perPage(r.program.database)), millis(r.program.cpu()), millis(r.bare.cpu()),
			fmt.Sprintf("%.1f", float64(r.program.cpu())/float64(max(r.bare.cpu(), time.Microsecond))))
	}
	return t
}

func goals(results []result) rig.Table {
	t := rig.Table{Head: []string{"goal", "page", "engine", "measured", ""}}
	for _, r := range results {
		if r.c == 8 {
			p99 := rig.Quantile(r.program.each, 0.99)
			t.Add("p99 < 20 ms at c = 8", r.page, r.engine, fmt.Sprintf("%.1f ms", rig.Millis(p99)), map[bool]string{true: "met", false: "missed"}[p99 < goalBusy])
		}
	}
	return t
}

func counted(statements float64) string {
	if statements < 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", statements)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", rig.Millis(d)) }
