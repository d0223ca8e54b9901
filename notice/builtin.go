package notice

import (
	"fmt"

	"countersign.dev/base/i18n"
)

// The built-in templates. Each is put together from the catalogues and becomes a version when the program
// starts.
const (
	VerifyEmail     = "verify-email"      // a code to an e-mail address that is to be confirmed
	VerifyEmailLink = "verify-email-link" // a link to a page that shows the code or confirms with a click
	VerifyPhone     = "verify-phone"      // a code to a number that is to be confirmed

	ContactChanged  = "contact-changed"  // a contact that had been verified was replaced
	ContactRemoved  = "contact-removed"  // a contact that had been verified was removed
	ContactDisputed = "contact-disputed" // somebody said that a change was not agreed
	MailboxChanged  = "mailbox-changed"  // the registered mailbox is another one, or none
	CriticalSent    = "critical-sent"    // to a former contact: that something critical was sent, and on which topic
)

var locales = []i18n.Locale{i18n.En, i18n.Zh}

// template is a built-in template before it is compiled: its mails by reader, its short messages by form.
type template struct {
	name  string
	mails map[string]mail
	short map[string]short
}

// short is a text message: the id of its text, and what follows.
type short struct{ text, end string }

// builtin compiles the built-in templates; with help when there is an address for it.
func builtin(help bool) ([]*version, error) {
	var all []*version
	for _, t := range append(verifyTemplates(), changeTemplates()...) {
		v, err := t.compile(help)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", t.name, err)
		}
		all = append(all, v)
	}
	return all, nil
}

func (t template) compile(help bool) (*version, error) {
	v := &version{Name: t.name, Rule: rule, Forms: map[string]map[string]form{}}
	for _, l := range locales {
		forms := map[string]form{}
		for reader, m := range t.mails {
			for name, logo := range map[string]bool{FormEmail: false, FormEmailLogo: true} {
				f, err := layout{mail: m, locale: l, help: help, logo: logo}.form()
				if err != nil {
					return nil, err
				}
				forms[formFor(reader, name)] = f
			}
		}
		for name, s := range t.short {
			forms[name] = form{Text: compile(i18n.Text(l, s.text) + s.end)}
		}
		v.Forms[string(l)] = forms
	}
	return v, nil
}

// webOTP is the last line that lets a browser offer the code on the page it belongs to, and on no other
// (W3C WebOTP, origin-bound one-time codes).
const webOTP = "\n\n@{host} #{code}"

func verifyTemplates() []template {
	return []template{
		{name: VerifyEmail, mails: map[string]mail{"": verifyEmail}},
		{name: VerifyEmailLink, mails: map[string]mail{"": verifyEmailLink}},
		{name: VerifyPhone, short: map[string]short{
			FormSMS:      {"notice.verify-phone.sms", webOTP},
			FormSMSRef:   {"notice.verify-phone.sms-ref", webOTP},
			FormSMSPlain: {"notice.verify-phone.sms-ref", ""},
		}},
	}
}

// What is asked and the code come first, then why, by when, what if not.
var verifyEmail = mail{
	subject: "notice.verify-email.subject",
	parts: []part{
		{says: asked, text: "notice.verify-email.ask"},
		{label: "notice.verify-email.code", set: "{code}", as: large},
		{text: "notice.verify-email.where"},
		{says: why, label: "notice.label.why", text: "notice.verify-email.why"},
		{says: byWhen, label: "notice.label.by-when", text: "notice.verify-email.by-when"},
		{says: otherwise, label: "notice.label.otherwise", text: "notice.verify-email.otherwise"},
		{label: "notice.label.not-you", text: "notice.verify-email.not-you"},
	},
	footer: "notice.footer",
}

// The link goes to a page that does nothing by being opened.
var verifyEmailLink = mail{
	subject: "notice.verify-email.subject",
	parts: []part{
		{says: asked, text: "notice.verify-email-link.ask"},
		{label: "notice.verify-email-link.open", set: "{origin}/link/{token}", as: button},
		{label: "notice.verify-email-link.page", text: "notice.verify-email-link.where"},
		{says: why, label: "notice.label.why", text: "notice.verify-email-link.why"},
		{says: byWhen, label: "notice.label.by-when", text: "notice.verify-email-link.by-when"},
		{says: otherwise, label: "notice.label.otherwise", text: "notice.verify-email-link.otherwise"},
		{label: "notice.label.not-you", text: "notice.verify-email-link.not-you"},
	},
	footer: "notice.footer-address",
}
