package main

import (
	"fmt"
	"io"
	"time"

	"countersign.dev/bench/rig"
)

// The goals. Supabase Auth and Ory Kratos took 7 and 12 ms of CPU for a verification on the machine that they were measured on.
const (
	goalCPU  = time.Millisecond       // per verification, server and database
	goalMail = 10 * time.Millisecond  // median time to mail, one at a time
	goalBusy = 100 * time.Millisecond // 99th percentile of it, 32 at a time
)

// report prints what was measured and how it stands to the goals.
func report(w io.Writer, results []result, markdown bool) error {
	for _, t := range []rig.Table{latencies(results), costs(results), goals(results)} {
		if err := t.Print(w, markdown); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return nil
}

func latencies(results []result) rig.Table {
	t := rig.Table{Head: []string{"engine", "c", "verifications/s", "start p50/p99 ms", "time to mail p50/p99 ms", "check p50/p99 ms"}}
	for _, r := range results {
		t.Add(r.engine, r.c, fmt.Sprintf("%.0f", r.program.rate()),
			r.spread(func(s sample) time.Duration { return s.start }),
			r.spread(func(s sample) time.Duration { return s.mail }),
			r.spread(func(s sample) time.Duration { return s.check }))
	}
	return t
}

func costs(results []result) rig.Table {
	t := rig.Table{Head: []string{
		"engine", "c", "CPU ms each: server", "database", "sum", "bare loop: /s", "CPU ms: process", "database", "sum", "rate to bare", "CPU to bare",
	}}
	for _, r := range results {
		t.Add(r.engine, r.c,
			millis(r.program.process()), millis(r.program.database()), millis(r.program.verification()),
			fmt.Sprintf("%.0f", r.bare.rate()),
			millis(r.bare.process()), millis(r.bare.database()), millis(r.bare.verification()),
			fmt.Sprintf("%.2f", r.program.rate()/r.bare.rate()),
			fmt.Sprintf("%.2f", float64(r.program.verification())/float64(r.bare.verification())))
	}
	return t
}

// goals names each goal that the run can speak of.
func goals(results []result) rig.Table {
	t := rig.Table{Head: []string{"goal", "engine", "c", "measured", ""}}
	for _, r := range results {
		cpu := r.program.verification()
		t.Add("CPU ≤ 1 ms", r.engine, r.c, millis(cpu)+" ms", met(cpu <= goalCPU))
		mail := func(s sample) time.Duration { return s.mail }
		switch r.c {
		case 1:
			t.Add("p50 to mail < 10 ms", r.engine, r.c, millis(r.quantile(0.5, mail))+" ms", met(r.quantile(0.5, mail) < goalMail))
		case 32:
			t.Add("p99 to mail < 100 ms", r.engine, r.c, millis(r.quantile(0.99, mail))+" ms", met(r.quantile(0.99, mail) < goalBusy))
		}
	}
	return t
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "missed"
}

func (r result) quantile(q float64, of func(sample) time.Duration) time.Duration {
	all := make([]time.Duration, len(r.samples))
	for i, s := range r.samples {
		all[i] = of(s)
	}
	return rig.Quantile(all, q)
}

func (r result) spread(of func(sample) time.Duration) string {
	return fmt.Sprintf("%.1f / %.1f", rig.Millis(r.quantile(0.5, of)), rig.Millis(r.quantile(0.99, of)))
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", rig.Millis(d)) }
