package ui

import (
	"bytes"
	"encoding/xml"
	"errors"
	"math"
	"strconv"
	"strings"

	"countersign.dev/base/fault"
)

// logo is an SVG of which only what draws is left.
type logo struct {
	root          *node
	svg           []byte
	width, height float64 // of its view box
}

// cleanLogo reads an SVG against the list of what may draw (logo_allow.go). What may run, load, move or link is refused with a
// fault that names it, so that nobody wonders why a logo looks different. What editors leave behind is dropped: comments, metadata,
// elements and attributes of their own. Styles become attributes, so that the picture is right under a policy that forbids styles.
//
// The result is written anew from what was read: no byte of the file reaches a browser as it was.
func cleanLogo(file []byte) (*logo, error) {
	if len(file) > MaxLogo {
		return nil, fault.New(fault.Invalid, "logo-too-large", MaxLogo>>10).At("logo")
	}
	r := logoReader{dec: xml.NewDecoder(bytes.NewReader(file))}
	root, err := r.document()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return nil, f
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "logo-malformed").At("logo").Because(err)
	}
	root.each(r.sheet.apply)
	if root.usesNest() {
		return nil, refused("<use>")
	}
	l := &logo{root: root}
	if !l.measure() {
		return nil, fault.New(fault.Invalid, "logo-size").At("logo")
	}
	l.svg = root.write(nil)
	return l, nil
}

// refused is the fault about a part that a logo may not have. What is named is a word of the mark-up, and kept short.
func refused(what string) error {
	const most = 40
	if len(what) > most || strings.ContainsFunc(what, func(r rune) bool { return r < ' ' || r > '~' }) {
		what = "<…>"
	}
	return fault.New(fault.Invalid, "logo-invalid", what).At("logo")
}

// measure finds the size of the drawing, from its view box or else from its width and height in pixels, and leaves a view box and
// no size, so that the page decides how large it is shown.
func (l *logo) measure() bool {
	box := numbers(l.root.attr("viewBox"))
	if len(box) != 4 {
		w, h := pixels(l.root.attr("width")), pixels(l.root.attr("height"))
		box = []float64{0, 0, w, h}
	}
	l.width, l.height = box[2], box[3]
	l.root.drop("width", "height", "viewBox")
	texts := make([]string, len(box))
	for i, n := range box {
		texts[i] = strconv.FormatFloat(n, 'f', -1, 64)
	}
	l.root.attrs = append([]attr{{"xmlns", svgSpace}, {"viewBox", strings.Join(texts, " ")}}, l.root.attrs...)
	const flattest, largest = 12.0, 1e6
	return l.width > 0 && l.height > 0 && max(l.width, l.height) <= largest &&
		l.width <= flattest*l.height && l.height <= 2*l.width
}

// numbers reads a list of numbers; nil when there is anything else in it.
func numbers(s string) []float64 {
	var list []float64
	for field := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' }) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) || math.Abs(n) > 1e6 {
			return nil
		}
		list = append(list, n)
	}
	return list
}

func pixels(s string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "px"), 64)
	if err != nil || math.IsNaN(n) {
		return 0
	}
	return n
}
