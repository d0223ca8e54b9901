package rig

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Table is a heading and rows of the same width.
type Table struct {
	Head []string
	Rows [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.Rows = append(t.Rows, row)
}

// Print writes the table, aligned for a terminal or in Markdown.
func (t *Table) Print(w io.Writer, markdown bool) error {
	if markdown {
		return t.markdown(w)
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		fmt.Fprintln(tabs, strings.Join(row, "\t"))
	}
	return tabs.Flush()
}

func (t *Table) markdown(w io.Writer) error {
	rule := slices.Repeat([]string{"---"}, len(t.Head))
	for _, row := range append([][]string{t.Head, rule}, t.Rows...) {
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | ")); err != nil {
			return err
		}
	}
	return nil
}

// Quantile returns the smallest duration that at least the share q of all do not exceed, 0 of none.
func Quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, min(len(sorted)-1, int(q*float64(len(sorted))+0.9999)-1))]
}

// Millis is a duration as a number of milliseconds.
func Millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
