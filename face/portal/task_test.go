package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
)

// say is a text of the pages as the reader of an account's language reads it.
type say func(id string, args ...any) string

// inEachLanguage runs body on both engines for an account in each language, with a browser that is in a session of it.
func inEachLanguage(t *testing.T, body func(b *bundle, say say, id string, br *browser, home string)) {
	t.Helper()
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			b.account(id, l)
			br, home := b.enter(auth.SessionInput{Account: id})
			body(b, func(text string, args ...any) string { return i18n.Text(l, text, args...) }, id, br, home)
		}
	})
}

// press sends the form that the button with this text is in, as it stands, with what was typed into it.
func (br *browser) press(p page, button string, typed ...string) page {
	br.b.Helper()
	for _, form := range p.all(func(n *html.Node) bool { return n.Data == "form" }) {
		for n := range form.Descendants() {
			if n.Type == html.ElementNode && n.Data == "button" && textOf(n) == button {
				return br.send(p, form, typed)
			}
		}
	}
	br.b.Fatalf("%s has no button %q: %s", p.path, button, p.text)
	return page{}
}

func (br *browser) send(p page, form *html.Node, typed []string) page {
	br.b.Helper()
	values := fields(form)
	for i := 0; i < len(typed); i += 2 {
		if !values.Has(typed[i]) && !hasRadio(form, typed[i]) {
			br.b.Fatalf("%s: the form has no field %q", p.path, typed[i])
		}
		values.Set(typed[i], typed[i+1])
	}
	return br.post(attr(form, "action"), values)
}

// fields are those of a form with what stands in them.
func fields(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" {
			continue
		}
		checked := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" })
		if attr(n, "type") != "radio" || checked {
			values.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	return values
}

func hasRadio(form *html.Node, name string) bool {
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && attr(n, "type") == "radio" && attr(n, "name") == name {
			return true
		}
	}
	return false
}

// value is what stands in a field of the page.
func (p page) value(name string) string {
	p.Helper()
	found := p.all(func(n *html.Node) bool {
		return n.Data == "input" && attr(n, "name") == name && attr(n, "type") != "radio"
	})
	if len(found) == 0 {
		p.Fatalf("%s has no field %q", p.path, name)
	}
	return attr(found[0], "value")
}

// blames checks that the summary of errors has one with this text, that leads to the field.
func (p page) blames(field, text string) page {
	p.Helper()
	for _, n := range p.all(func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == "#"+field }) {
		if textOf(n) == text {
			return p.says(text)
		}
	}
	p.Errorf("%s: no error at %s: %q: %s", p.path, field, text, p.text)
	return p
}

// quiet checks that the page has no form but those of the frame around it.
func (p page) quiet() page {
	p.Helper()
	for _, main := range p.all(func(n *html.Node) bool { return n.Data == "main" }) {
		for n := range main.Descendants() {
			if n.Type == html.ElementNode && (n.Data == "form" || n.Data == "button" && attr(n, "type") != "button" || n.Data == "input") {
				p.Errorf("%s has a %s", p.path, n.Data)
			}
		}
	}
	return p
}

// messages counts what has been sent, once as many as expected are there.
func (b *bundle) messages(want int) {
	b.Helper()
	b.must(b.box.Wait(b.ctx, want))
	if got := len(b.box.Messages()); got != want {
		b.Errorf("%d messages were sent, want %d", got, want)
	}
}

// awaits loads a page until a person reads a text there.
func (br *browser) awaits(path, text string) page {
	br.b.Helper()
	for {
		if p := br.get(path).want(http.StatusOK); strings.Contains(p.text, text) {
			return p
		}
		br.b.must(br.b.ctx.Err())
	}
}

// stays lets time pass in which the reader looks at a page now and then, so that the session goes on.
func (br *browser) stays(path string, d time.Duration) {
	br.b.Helper()
	for ; d > 0; d -= 20 * time.Minute {
		br.b.clock.Advance(min(d, 20*time.Minute))
		br.get(path).want(http.StatusOK)
	}
}

// wrong is a code that is not this one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
