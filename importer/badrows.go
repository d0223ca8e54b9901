package importer

import (
	"encoding/csv"
	"io"
	"strconv"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

// badRows writes what is wrong with rows as CSV: a line for each problem, with the row's line in the file, the column, the fault's id
// and its text. No value is repeated.
type badRows struct {
	out    io.Writer
	csv    *csv.Writer
	locale i18n.Locale
}

func newBadRows(out io.Writer, l i18n.Locale) *badRows {
	if out == nil {
		out = io.Discard
	}
	return &badRows{out: out, locale: l}
}

func (b *badRows) add(r *row) error {
	if b.csv == nil {
		if err := b.begin(); err != nil {
			return err
		}
	}
	for _, p := range r.problems {
		if err := b.csv.Write([]string{strconv.Itoa(r.line), p.Field, p.ID, fault.Text(b.locale, p)}); err != nil {
			return err
		}
	}
	return nil
}

func (b *badRows) begin() error {
	if b.locale == i18n.Zh { // Excel takes a file without the mark for one in the system's old encoding
		if _, err := b.out.Write(utf8Mark); err != nil {
			return err
		}
	}
	b.csv = csv.NewWriter(b.out)
	return b.csv.Write([]string{"line", "field", "id", "text"})
}

func (b *badRows) flush() error {
	if b.csv == nil {
		return nil
	}
	b.csv.Flush()
	return b.csv.Error()
}
