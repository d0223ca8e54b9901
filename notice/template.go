package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"strings"
)

// Forms are the texts that one template has for each language; one for a reader of its own has the reader's name in
// front. EmailLogo shows the operator's logo. SMSRef carries the reference, where that takes no further segment.
// SMSPlain has no line that begins with @, which the template rules of some countries forbid.
const (
	FormEmail     = "email"
	FormEmailLogo = "email-logo"
	FormSMS       = "sms"
	FormSMSRef    = "sms-ref"
	FormSMSPlain  = "sms-plain"
)

// formFor names the form for a reader; "" is the only reader that a template has.
func formFor(reader, form string) string {
	if reader == "" {
		return form
	}
	return reader + "-" + form
}

// logoID is what a form with the logo calls it: the content id (RFC 2392) is part of the texts that are kept.
const logoID = "logo@countersign"

// rule is the number of the way in which a compiled text is filled: the pieces at even places stand as they
// are, those at odd places name a hole; a hole in HTML is escaped. A later rule gets another number, and this
// one stays, so that an old notice is shown unchanged for ever.
const rule = 1

// pieces is a fixed text with holes: literal, hole, literal, hole, …, literal.
type pieces []string

// compile splits a text at its holes, written {name}.
func compile(text string) pieces {
	var p pieces
	for {
		before, rest, found := strings.Cut(text, "{")
		p = append(p, before)
		if !found {
			return p
		}
		hole, after, _ := strings.Cut(rest, "}")
		p = append(p, hole)
		text = after
	}
}

func (p pieces) fill(values map[string]string, escape func(string) string) string {
	var b strings.Builder
	for i, piece := range p {
		if i%2 == 1 {
			piece = escape(values[piece])
		}
		b.WriteString(piece)
	}
	return b.String()
}

// form is one text of a template in one language.
type form struct {
	Subject pieces `json:"subject,omitempty"`
	Text    pieces `json:"text"`
	HTML    pieces `json:"html,omitempty"`
}

// open returns the holes that there is no value for.
func (f form) open(values map[string]string) (holes []string) {
	for _, p := range []pieces{f.Subject, f.Text, f.HTML} {
		for i, piece := range p {
			if _, known := values[piece]; i%2 == 1 && !known {
				holes = append(holes, piece)
			}
		}
	}
	return holes
}

// version is a compiled template: by language, then by form.
type version struct {
	id    string
	Name  string                     `json:"name"`
	Rule  int                        `json:"rule"`
	Forms map[string]map[string]form `json:"forms"`
}

// Content is a message's words.
type Content struct {
	Subject string
	Text    string
	HTML    string
}

// name names the version by its content, so that the same texts are the same version on every node.
func (v *version) name() (compiled string, err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	v.id = v.Name + "-" + hex.EncodeToString(sum[:6])
	return string(raw), nil
}

func readVersion(id, compiled string) (*version, error) {
	v := &version{id: id}
	if err := json.Unmarshal([]byte(compiled), v); err != nil {
		return nil, fmt.Errorf("template version %s: %w", id, err)
	}
	if v.Rule != rule {
		return nil, fmt.Errorf("template version %s is filled by rule %d, which this program does not know", id, v.Rule)
	}
	return v, nil
}

// render fills a form. A hole without a value is a defect: what is shown later would not be what was sent.
func (v *version) render(locale, name string, values map[string]string) (Content, error) {
	f, ok := v.Forms[locale][name]
	if !ok {
		return Content{}, fmt.Errorf("template version %s has no form %s in %s", v.id, name, locale)
	}
	if open := f.open(values); len(open) > 0 {
		return Content{}, fmt.Errorf("template version %s: form %s in %s: no value for %s", v.id, name, locale, open[0])
	}
	plain := func(s string) string { return s }
	c := Content{Subject: f.Subject.fill(values, plain), Text: f.Text.fill(values, plain)}
	if f.HTML != nil {
		c.HTML = f.HTML.fill(values, html.EscapeString)
	}
	return c, nil
}
