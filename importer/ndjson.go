package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"countersign.dev/base/fault"
)

// ndjsonSource reads the records of an NDJSON file.
type ndjsonSource struct {
	w *window
}

func (s *ndjsonSource) next() (record, error) {
	text, line, err := s.line()
	r := record{line: line}
	switch {
	case errors.Is(err, errShort):
		return r.bad(noColumn, lineTooLong()), nil
	case err != nil:
		return r, err
	case bytes.IndexByte(text, 0) >= 0:
		return r.bad(noColumn, fault.New(fault.Invalid, "import-nul")), nil
	case !utf8.Valid(text): // which the decoder would repair
		return r.bad(noColumn, fault.New(fault.Invalid, "import-utf8")), nil
	}
	r.values = make([]string, len(columns))
	if err := r.readObject(text); err != nil {
		r.problems = append(r.problems, err)
	}
	return r, nil
}

// line returns the next line that is not blank; it is valid until the next call. errShort says that it was longer than maxLine.
func (s *ndjsonSource) line() (text []byte, line int, err error) {
	for {
		if err := s.w.broken(); err != nil {
			return nil, 0, err
		}
		rest := s.w.rest()
		size := bytes.IndexByte(rest, '\n') + 1
		switch {
		case size == 0 && s.w.ended() && len(rest) == 0:
			return nil, 0, io.EOF
		case size == 0 && s.w.ended():
			size = len(rest)
		case size == 0 && !s.w.full():
			s.w.more()
			continue
		}
		line = s.w.line
		if size == 0 || size > maxLine {
			s.w.skipLine()
			return nil, line, errShort
		}
		s.w.take(size)
		if text = bytes.TrimSpace(rest[:size]); len(text) > 0 {
			return text, line, nil
		}
	}
}

// readObject reads one flat object of texts.
func (r *record) readObject(text []byte) *fault.Error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return notAnObject()
	}
	seen := make([]bool, len(columns))
	for d.More() {
		c, err := readKey(d)
		if err != nil {
			return err
		}
		if seen[c] {
			return fault.New(fault.Invalid, "import-key-twice").At(c.String())
		}
		seen[c] = true
		if r.values[c], err = readText(d); err != nil {
			return err.At(c.String())
		}
	}
	if _, err := d.Token(); err != nil {
		return notAnObject()
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return notAnObject()
	}
	return nil
}

func readKey(d *json.Decoder) (column, *fault.Error) {
	t, err := d.Token()
	name, ok := t.(string)
	if err != nil || !ok {
		return noColumn, notAnObject()
	}
	c, known := columnOf(name)
	if !known {
		return noColumn, fault.New(fault.Invalid, "import-unknown-key").At(shown(name))
	}
	return c, nil
}

// readText reads a value that is a text, or null, which is the same as none.
func readText(d *json.Decoder) (string, *fault.Error) {
	t, err := d.Token()
	if err != nil {
		return "", notAnObject()
	}
	switch v := t.(type) {
	case nil:
		return "", nil
	case string:
		return v, checkField([]byte(v))
	}
	return "", fault.New(fault.Invalid, "import-not-text")
}

func notAnObject() *fault.Error { return fault.New(fault.Invalid, "import-not-an-object") }
