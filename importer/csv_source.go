package importer

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"countersign.dev/base/fault"
)

// csvSource reads the records of a CSV file.
type csvSource struct {
	w      *window
	header []column // of each field
	fields [][]byte
}

// newCSV reads the header. What is wrong with it concerns the whole file.
func newCSV(w *window) (*csvSource, error) {
	s := &csvSource{w: w}
	fields, _, err := s.record()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fault.New(fault.Invalid, "import-empty")
	case errors.Is(err, errQuote), errors.Is(err, errShort):
		return nil, fault.New(fault.Invalid, "import-header")
	case err != nil:
		return nil, err
	}
	s.header, err = readHeader(fields)
	return s, err
}

// readHeader finds the columns. The required one comes first: a first line without it may be no header at all, and then its content
// must not be repeated.
func readHeader(fields [][]byte) ([]column, error) {
	header := make([]column, len(fields))
	seen := make([]bool, len(columns))
	unknown := -1
	for i, f := range fields {
		c, ok := columnOf(string(f))
		header[i] = c
		switch {
		case !ok && unknown < 0:
			unknown = i
		case ok && seen[c]:
			return nil, fault.New(fault.Invalid, "import-column-twice", c.String()).At(c.String())
		case ok:
			seen[c] = true
		}
	}
	if !seen[accountColumn] {
		return nil, fault.New(fault.Invalid, "missing-column", accountColumn.String()).At(accountColumn.String())
	}
	if unknown >= 0 {
		name := shown(string(fields[unknown]))
		return nil, fault.New(fault.Invalid, "unknown-column", name, unknown+1).At(name)
	}
	return header, nil
}

// record cuts off the next record that is not blank. Its fields are valid until the next call. After errQuote or errShort, which says
// that the record has no end within maxLine, the reading goes on with the next line: the one after that on which the record began,
// so that an open quote costs its own line only.
func (s *csvSource) record() (fields [][]byte, line int, err error) {
	for {
		if err := s.w.broken(); err != nil {
			return nil, 0, err
		}
		if s.w.ended() && len(s.w.rest()) == 0 {
			return nil, 0, io.EOF
		}
		line = s.w.line
		var size int
		fields, size, err = cut(s.w.rest(), s.w.ended(), s.fields[:0])
		switch {
		case errors.Is(err, errShort) && !s.w.full():
			s.w.more()
			continue
		case errors.Is(err, errShort), size > maxLine:
			err = s.tooLong()
		}
		if err != nil {
			s.w.skipLine()
			return nil, line, err
		}
		s.fields = fields
		s.w.take(size)
		if !blank(fields) {
			return fields, line, nil
		}
	}
}

// tooLong says what a record is that has no end within maxLine: a line that long, or an open quote.
func (s *csvSource) tooLong() error {
	if bytes.IndexByte(s.w.rest()[:maxLine], '\n') >= 0 {
		return errQuote
	}
	return errShort
}

// blank is true for an empty line, and for the rows of commas that spreadsheets leave behind.
func blank(fields [][]byte) bool {
	for _, f := range fields {
		if len(f) > 0 {
			return false
		}
	}
	return true
}

func (s *csvSource) next() (record, error) {
	fields, line, err := s.record()
	r := record{line: line}
	switch {
	case errors.Is(err, errQuote):
		return r.bad(noColumn, fault.New(fault.Invalid, "import-quote")), nil
	case errors.Is(err, errShort):
		return r.bad(noColumn, lineTooLong()), nil
	case err != nil:
		return r, err
	case len(fields) != len(s.header):
		return r.bad(noColumn, fault.New(fault.Invalid, "import-width", len(s.header), len(fields))), nil
	}
	r.values = make([]string, len(columns))
	for i, f := range fields {
		if err := checkField(f); err != nil {
			r = r.bad(s.header[i], err)
			continue
		}
		r.values[s.header[i]] = string(f)
	}
	return r, nil
}

// checkField holds a field to what any text may be.
func checkField(f []byte) *fault.Error {
	switch {
	case len(f) > maxField:
		return fault.New(fault.Invalid, "import-field-too-long", maxField)
	case bytes.IndexByte(f, 0) >= 0:
		return fault.New(fault.Invalid, "import-nul")
	case !utf8.Valid(f):
		return fault.New(fault.Invalid, "import-utf8")
	}
	return nil
}

func lineTooLong() *fault.Error { return fault.New(fault.Invalid, "import-line-too-long", maxLine) }
