package notice

import (
	"errors"
	"html"
	"strings"

	"countersign.dev/base/i18n"
)

// point is one of the things that every notice has to say.
type point int

// The points. A part with another purpose has none.
const (
	asked     point = iota + 1 // what the reader is asked to do, if anything
	why                        // why they are written to
	byWhen                     // by when, or that there is no date
	otherwise                  // what happens if nothing is done
)

var silent = map[point]error{
	asked:     errors.New("it does not say what is asked"),
	why:       errors.New("it does not say why"),
	byWhen:    errors.New("it does not say by when"),
	otherwise: errors.New("it does not say what happens if nothing is done"),
}

// shape is how a part sets its line apart.
type shape int

const (
	large  shape = iota // a code to be typed
	line                // as it is
	button              // an address, once to click and once to see; the label stands on the button
)

// part is a paragraph, facts a line each, or a line that is set apart; a label may stand in front.
type part struct {
	says  point
	label string   // the id of a text
	text  string   // the id of a text
	facts []string // ids of texts
	set   string   // what is set apart, with its holes
	as    shape
}

// mail is one mail of a template, in every language.
type mail struct {
	subject string // the id of a text, and so is footer
	parts   []part
	footer  string
}

// layout makes the plain text and the HTML of a mail in one language.
type layout struct {
	mail
	locale i18n.Locale
	help   bool // there is an address for help
	logo   bool // the HTML shows the logo in place of the name
}

// form compiles the mail. One that leaves a point unsaid does not compile.
func (y layout) form() (form, error) {
	said := map[point]bool{}
	for _, p := range y.parts {
		said[p.says] = true
	}
	for p := asked; p <= otherwise; p++ {
		if !said[p] {
			return form{}, silent[p]
		}
	}
	return form{Subject: compile(y.say(y.subject)), Text: compile(y.text()), HTML: compile(y.html())}, nil
}

func (y layout) say(id string) string { return i18n.Text(y.locale, id) }

func (y layout) lines(ids []string) []string {
	said := make([]string, len(ids))
	for i, id := range ids {
		said[i] = y.say(id)
	}
	return said
}

// last is what stands under the mail: a line, or two.
func (y layout) last() []string {
	if y.help {
		return y.lines([]string{y.footer, "notice.help"})
	}
	return y.lines([]string{y.footer})
}

func (y layout) text() string {
	var b strings.Builder
	for _, p := range y.parts {
		if p.label != "" {
			b.WriteString(y.say(p.label) + "\n")
		}
		switch {
		case p.set != "" && p.as == large:
			b.WriteString("\n    " + p.set)
		case p.set != "":
			b.WriteString(p.set)
		case p.facts != nil:
			b.WriteString(strings.Join(y.lines(p.facts), "\n"))
		default:
			b.WriteString(y.say(p.text))
		}
		b.WriteString("\n\n")
	}
	b.WriteString("-- \n" + strings.Join(y.last(), "\n") + "\n")
	return b.String()
}

// Colours that are given go together, since mail programs turn a light page dark and leave what has a colour of its
// own; what has none is theirs to colour.
const (
	fonts     = `system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif`
	codeFonts = `ui-monospace,Menlo,Consolas,monospace`
)

// html is one column that reads the same without its styles: mail programs drop what they please. It loads nothing
// from outside.
func (y layout) html() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="` + string(y.locale) + `"><head><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">` +
		`<title>` + html.EscapeString(y.say(y.subject)) + `</title></head>` +
		`<body style="margin:0;padding:24px;font:16px/1.5 ` + fonts + `">` +
		`<div style="max-width:560px;margin:0 auto">` + y.head())
	for _, p := range y.parts {
		b.WriteString(y.element(p))
	}
	b.WriteString(`<hr style="border:0;border-top:1px solid #8886;margin:24px 0 16px">` +
		`<p style="margin:0;font-size:14px;opacity:.8">` + escaped(y.last()) + `</p></div></body></html>`)
	return b.String()
}

func (y layout) head() string {
	if y.logo {
		return `<div style="background-color:#ffffff;color:#1a1a1a;border-bottom:3px solid {accent};padding:12px 16px;margin:0 0 24px">` +
			`<img src="cid:` + logoID + `" alt="{platform}" height="40" style="height:40px;border:0;font-weight:600"></div>`
	}
	return `<p style="background-color:{accent};color:#ffffff;font-weight:600;padding:12px 16px;margin:0 0 24px">{platform}</p>`
}

func (y layout) element(p part) string {
	label := html.EscapeString(y.say(p.label))
	set := html.EscapeString(p.set)
	switch {
	case p.set != "" && p.as == button:
		return `<p style="margin:0 0 16px"><a href="` + set + `" style="display:inline-block;background-color:{accent};` +
			`color:#ffffff;font-weight:600;text-decoration:none;padding:12px 24px">` + label + `</a></p>` +
			`<p style="margin:0 0 24px;font-size:14px;word-break:break-all">` + set + `</p>`
	case p.set != "" && p.as == large:
		return `<p style="margin:0 0 4px">` + label + `</p>` +
			`<p style="margin:0 0 24px;font:600 28px/1.2 ` + codeFonts + `;letter-spacing:2px">` + set + `</p>`
	case p.set != "":
		return `<p style="margin:0 0 4px">` + label + `</p>` +
			`<p style="margin:0 0 24px;font-family:` + codeFonts + `;word-break:break-all">` + set + `</p>`
	}
	said := []string{y.say(p.text)}
	if p.facts != nil {
		said = y.lines(p.facts)
	}
	if p.label != "" {
		return `<p style="margin:0 0 16px"><strong>` + label + `</strong><br>` + escaped(said) + `</p>`
	}
	return `<p style="margin:0 0 16px">` + escaped(said) + `</p>`
}

// escaped is HTML of lines.
func escaped(lines []string) string {
	return strings.ReplaceAll(html.EscapeString(strings.Join(lines, "\n")), "\n", "<br>")
}
