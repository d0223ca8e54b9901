package notice

import (
	"html"
	"strings"

	"countersign.dev/base/i18n"
)

// The built-in templates. Each is put together from the catalogues and becomes a version when the program
// starts.
const (
	VerifyEmail = "verify-email" // a code to an e-mail address that is to be confirmed
	VerifyPhone = "verify-phone" // a code to a number that is to be confirmed
)

var locales = []i18n.Locale{i18n.En, i18n.Zh}

// builtin compiles the built-in templates.
func builtin() []*version {
	email := &version{Name: VerifyEmail, Rule: rule, Forms: map[string]map[string]form{}}
	phone := &version{Name: VerifyPhone, Rule: rule, Forms: map[string]map[string]form{}}
	for _, l := range locales {
		email.Forms[string(l)] = map[string]form{FormEmail: verifyEmail(l)}
		phone.Forms[string(l)] = map[string]form{
			FormSMS:      {Text: compile(i18n.Text(l, "notice.verify-phone.sms") + webOTP)},
			FormSMSRef:   {Text: compile(i18n.Text(l, "notice.verify-phone.sms-ref") + webOTP)},
			FormSMSPlain: {Text: compile(i18n.Text(l, "notice.verify-phone.sms-ref"))},
		}
	}
	return []*version{email, phone}
}

// webOTP is the last line that lets a browser offer the code on the page it belongs to, and on no other
// (W3C WebOTP, origin-bound one-time codes).
const webOTP = "\n\n@{host} #{code}"

// verifyEmail lays the parts out: what is asked and the code first, then why, by when, what if not.
func verifyEmail(l i18n.Locale) form {
	return layout{
		locale:  l,
		subject: "notice.verify-email.subject",
		parts: []part{
			{text: "notice.verify-email.ask"},
			{label: "notice.verify-email.code", hole: "{code}"},
			{text: "notice.verify-email.where"},
			{label: "notice.label.why", text: "notice.verify-email.why"},
			{label: "notice.label.by-when", text: "notice.verify-email.by-when"},
			{label: "notice.label.otherwise", text: "notice.verify-email.otherwise"},
			{label: "notice.label.not-you", text: "notice.verify-email.not-you"},
		},
		footer: "notice.footer",
	}.form()
}

// part is a paragraph, with or without a label in front, or a hole set large on a line of its own.
type part struct {
	label string
	text  string
	hole  string
}

// layout makes the plain text and the HTML of a mail from one list of parts.
type layout struct {
	locale  i18n.Locale
	subject string
	parts   []part
	footer  string
}

func (y layout) form() form {
	return form{Subject: compile(y.say(y.subject)), Text: compile(y.text()), HTML: compile(y.html())}
}

func (y layout) say(id string) string { return i18n.Text(y.locale, id) }

func (y layout) text() string {
	var b strings.Builder
	for _, p := range y.parts {
		switch {
		case p.hole != "":
			b.WriteString(y.say(p.label) + "\n\n    " + p.hole)
		case p.label != "":
			b.WriteString(y.say(p.label) + "\n" + y.say(p.text))
		default:
			b.WriteString(y.say(p.text))
		}
		b.WriteString("\n\n")
	}
	b.WriteString("-- \n" + y.say(y.footer) + "\n")
	return b.String()
}

// The HTML is one column that reads the same without its styles: mail programs drop what they please.
func (y layout) html() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="` + string(y.locale) + `"><head><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">` +
		`<title>` + html.EscapeString(y.say(y.subject)) + `</title></head>` +
		`<body style="margin:0;padding:24px;font:16px/1.5 system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif">` +
		`<div style="max-width:560px;margin:0 auto"><p style="font-weight:600;margin:0 0 24px">{platform}</p>`)
	for _, p := range y.parts {
		switch {
		case p.hole != "":
			b.WriteString(`<p style="margin:0 0 4px">` + html.EscapeString(y.say(p.label)) + `</p>` +
				`<p style="margin:0 0 24px;font:600 32px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:4px">` + p.hole + `</p>`)
		case p.label != "":
			b.WriteString(`<p style="margin:0 0 16px"><strong>` + html.EscapeString(y.say(p.label)) + `</strong><br>` +
				html.EscapeString(y.say(p.text)) + `</p>`)
		default:
			b.WriteString(`<p style="margin:0 0 16px">` + html.EscapeString(y.say(p.text)) + `</p>`)
		}
	}
	b.WriteString(`<hr style="border:0;border-top:1px solid #8886;margin:24px 0 16px">` +
		`<p style="margin:0;font-size:14px;opacity:.8">` + html.EscapeString(y.say(y.footer)) + `</p></div></body></html>`)
	return b.String()
}
