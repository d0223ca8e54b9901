package ui

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"
)

// left is a countdown's sentence as it reads now.
func (p Page) left(in CountdownInput) string {
	d := in.Until.Sub(p.Now)
	if d <= 0 {
		return in.Done
	}
	unit, n := spanUp(d)
	return strings.Replace(in.Text, Hole, p.T("ui.left."+unit, n), 1)
}

// countdown is what the script needs to go on: the time left when the page was made (clocks of browsers are often wrong), and the
// words in the page's language, with # for the number.
func (p Page) countdown(in CountdownInput) templ.OrderedAttributes {
	left := max(in.Until.Sub(p.Now), 0)
	attrs := templ.OrderedAttributes{
		templ.KV[string, any]("data-left", strconv.FormatInt(left.Milliseconds(), 10)),
		templ.KV[string, any]("data-text", in.Text),
		templ.KV[string, any]("data-done", in.Done),
	}
	for _, unit := range []string{"seconds", "minutes", "hours", "days"} {
		for i, form := range []string{"one", "other"} { // in order: the same page is the same bytes, so that the script sees no change
			words := strings.Replace(p.T("ui.left."+unit, i+1), strconv.Itoa(i+1), "#", 1)
			attrs = append(attrs, templ.KV[string, any]("data-"+unit+"-"+form, words))
		}
	}
	if in.Enables != "" {
		attrs = append(attrs, templ.KV[string, any]("data-enables", in.Enables))
	}
	return attrs
}

// relative is how long ago a time was or how soon it will be.
func (p Page) relative(t time.Time) string {
	if t.After(p.Now) {
		return p.In(t)
	}
	return p.Ago(t)
}

func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// grouped sets a code in groups that the eye can hold: six digits as 123 456, eight as 1234 5678.
func grouped(code string) string {
	if len(code) < 6 || len(code)%2 != 0 || strings.ContainsFunc(code, func(r rune) bool { return !unicode.IsDigit(r) }) {
		return code
	}
	return code[:len(code)/2] + "\u2009" + code[len(code)/2:]
}

// spelled is a code as it is to be read aloud: one digit after the other.
func spelled(code string) string { return strings.Join(strings.Split(code, ""), " ") }
