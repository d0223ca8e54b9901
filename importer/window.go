package importer

import (
	"bytes"
	"errors"
	"io"
)

// Bounds of what is read, in bytes.
const (
	maxLine  = 1 << 20  // a line, and a record of several lines
	maxField = 64 << 10 // a field
	chunk    = 64 << 10 // the least that is asked of the reader at a time
)

// window is the part of the input that is in memory: it begins with the next record and is at most maxLine long.
type window struct {
	r     io.Reader
	buf   []byte
	start int // of the next record in buf
	line  int // the number of its line
	err   error
}

func newWindow(r io.Reader) *window { return &window{r: r, line: 1} }

// rest is what of the input is in memory.
func (w *window) rest() []byte { return w.buf[w.start:] }

// ended tells that nothing follows the rest.
func (w *window) ended() bool { return w.err != nil }

// full tells that the rest may not grow.
func (w *window) full() bool { return len(w.rest()) >= maxLine }

// broken is the error that kept the input from being read to its end.
func (w *window) broken() error {
	if errors.Is(w.err, io.EOF) {
		return nil
	}
	return w.err
}

// more reads on behind the rest: a chunk at least, so that what is looked at again each time is not looked at often.
func (w *window) more() {
	if w.start > 0 {
		w.buf = w.buf[:copy(w.buf, w.rest())]
		w.start = 0
	}
	n := len(w.buf)
	if n+chunk > cap(w.buf) {
		w.buf = append(make([]byte, 0, 2*cap(w.buf)+chunk), w.buf...)
	}
	for end := n + chunk; n < end && w.err == nil; {
		var read int
		read, w.err = w.r.Read(w.buf[n:cap(w.buf)])
		n += read
	}
	w.buf = w.buf[:n]
}

// take moves on by n bytes of the rest.
func (w *window) take(n int) {
	w.line += bytes.Count(w.rest()[:n], []byte{'\n'})
	w.start += n
}

// skipLine moves on to the next line, however far away it is.
func (w *window) skipLine() {
	for {
		if i := bytes.IndexByte(w.rest(), '\n'); i >= 0 {
			w.take(i + 1)
			return
		}
		w.start = len(w.buf)
		if w.ended() {
			return
		}
		w.more()
	}
}

// The marks with which text files begin (Unicode §23.8).
var (
	utf8Mark  = []byte("\xef\xbb\xbf")
	utf16Mark = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// skipMark passes over a mark at the beginning of the input; utf16 tells that the mark is of an encoding that is not read here.
func (w *window) skipMark() (utf16 bool) {
	for len(w.rest()) < len(utf8Mark) && !w.ended() {
		w.more()
	}
	if bytes.HasPrefix(w.rest(), utf8Mark) {
		w.start += len(utf8Mark)
	}
	return bytes.HasPrefix(w.rest(), utf16Mark[0]) || bytes.HasPrefix(w.rest(), utf16Mark[1])
}
