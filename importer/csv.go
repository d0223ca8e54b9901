package importer

import (
	"bytes"
	"errors"
)

// The ways in which no record can be cut off.
var (
	errShort = errors.New("the record goes on beyond what is in memory")
	errQuote = errors.New("a quote that is not closed, or that stands where none may")
)

// cut splits the first record off b (RFC 4180 §2; lines end in CRLF or LF) and returns its fields, appended to fields, and its length
// with the line break. The fields lie in b. ended tells that nothing follows b.
//
// The standard reader cannot be used: after a broken quote it has lost its place, and the rows behind are lost with it.
func cut(b []byte, ended bool, fields [][]byte) (_ [][]byte, size int, err error) {
	for at := 0; ; {
		var field []byte
		var n int
		if at < len(b) && b[at] == '"' {
			field, n, err = cutQuoted(b[at:], ended)
		} else {
			field, n, err = cutPlain(b[at:], ended)
		}
		if err != nil {
			return nil, 0, err
		}
		fields = append(fields, field)
		at += n
		if at < len(b) && b[at] == ',' {
			at++
			continue
		}
		return fields, at + lineBreak(b[at:]), nil
	}
}

// cutPlain returns the field up to the next comma or line break.
func cutPlain(b []byte, ended bool) (field []byte, n int, err error) {
	for i, c := range b {
		switch c {
		case '"':
			return nil, 0, errQuote
		case ',':
			return b[:i], i, nil
		case '\n':
			if i > 0 && b[i-1] == '\r' {
				i--
			}
			return b[:i], i, nil
		}
	}
	if !ended {
		return nil, 0, errShort
	}
	return b, len(b), nil
}

// cutQuoted returns the content of the field that begins with a quote, and the length with both quotes.
func cutQuoted(b []byte, ended bool) (field []byte, n int, err error) {
	n = 1
	for {
		i := bytes.IndexByte(b[n:], '"')
		if i < 0 {
			return nil, 0, unfinished(ended)
		}
		n += i + 1
		if n == len(b) || b[n] != '"' {
			break
		}
		n++ // a doubled quote stands for one
	}
	switch rest := b[n:]; {
	case len(rest) == 0 && !ended, len(rest) == 1 && rest[0] == '\r' && !ended:
		return nil, 0, errShort
	case len(rest) > 0 && rest[0] != ',' && lineBreak(rest) == 0:
		return nil, 0, errQuote
	}
	return bytes.ReplaceAll(b[1:n-1], []byte(`""`), []byte(`"`)), n, nil
}

func unfinished(ended bool) error {
	if ended {
		return errQuote
	}
	return errShort
}

// lineBreak is the length of the line break that b begins with.
func lineBreak(b []byte) int {
	switch {
	case bytes.HasPrefix(b, []byte("\n")):
		return 1
	case bytes.HasPrefix(b, []byte("\r\n")):
		return 2
	}
	return 0
}
