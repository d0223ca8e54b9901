package notice

// The readers of a notice about a change. What they are told differs: who is no longer part of the account learns
// that something happened, and neither whose account it is nor what stands there now. A new mailbox, which nobody has
// proved, reads no name and no address: others chose them, and what they chose would come to a stranger in our mail.
const (
	oldOne     = "old"     // the contact or mailbox that stood there before
	newOne     = "new"     // the one that stands there now
	theMailbox = "mailbox" // the registered mailbox, on a change of a contact
	aContact   = "contact" // an emergency contact in force, on a change of something else
)

func changeTemplates() []template {
	return []template{
		{
			name: ContactChanged,
			mails: map[string]mail{
				oldOne:     formerMail("notice.contact-changed.old-subject", "notice.contact-changed.old-ask", "notice.former.why"),
				newOne:     contactNewMail,
				theMailbox: changeMail("notice.contact-changed.mailbox-subject", "notice.contact-changed.mailbox-ask", "notice.fact.after"),
				aContact:   changeMail("notice.contact-changed.contact-subject", "notice.contact-changed.contact-ask", "notice.fact.after"),
			},
			short: map[string]short{
				formFor(oldOne, FormSMS):      {text: "notice.contact-changed.old-sms"},
				formFor(newOne, FormSMS):      {text: "notice.contact-changed.new-sms"},
				formFor(newOne, FormSMSRef):   {text: "notice.contact-changed.new-sms", end: andReference},
				formFor(aContact, FormSMS):    {text: "notice.contact-changed.contact-sms"},
				formFor(aContact, FormSMSRef): {text: "notice.contact-changed.contact-sms", end: andReference},
			},
		},
		{
			name: ContactRemoved,
			mails: map[string]mail{
				oldOne:     formerMail("notice.contact-removed.old-subject", "notice.contact-removed.old-ask", "notice.former.why"),
				theMailbox: changeMail("notice.contact-removed.mailbox-subject", "notice.contact-removed.mailbox-ask"),
				aContact:   changeMail("notice.contact-removed.contact-subject", "notice.contact-removed.contact-ask"),
			},
			short: map[string]short{
				formFor(oldOne, FormSMS):      {text: "notice.contact-removed.old-sms"},
				formFor(aContact, FormSMS):    {text: "notice.contact-removed.contact-sms"},
				formFor(aContact, FormSMSRef): {text: "notice.contact-removed.contact-sms", end: andReference},
			},
		},
		{
			name: ContactDisputed,
			mails: map[string]mail{
				oldOne:     disputedMail("notice.contact-disputed.old-", "notice.label.not-disputed"),
				newOne:     disputedMail("notice.contact-disputed.new-", "notice.label.not-agreed"),
				theMailbox: disputedMail("notice.contact-disputed.mailbox-", "notice.label.not-agreed", "notice.fact.before", "notice.fact.after"),
				aContact:   disputedMail("notice.contact-disputed.contact-", "notice.label.not-agreed", "notice.fact.before", "notice.fact.after"),
			},
			short: map[string]short{
				formFor(oldOne, FormSMS):      {text: "notice.contact-disputed.old-sms"},
				formFor(oldOne, FormSMSRef):   {text: "notice.contact-disputed.old-sms", end: andReference},
				formFor(newOne, FormSMS):      {text: "notice.contact-disputed.new-sms"},
				formFor(newOne, FormSMSRef):   {text: "notice.contact-disputed.new-sms", end: andReference},
				formFor(aContact, FormSMS):    {text: "notice.contact-disputed.contact-sms"},
				formFor(aContact, FormSMSRef): {text: "notice.contact-disputed.contact-sms", end: andReference},
			},
		},
		{
			name: MailboxChanged,
			mails: map[string]mail{
				oldOne:   mailboxChangedMail("notice.mailbox-changed.old-"),
				newOne:   mailboxChangedMail("notice.mailbox-changed.new-"),
				aContact: mailboxChangedMail("notice.mailbox-changed.contact-", "notice.fact.before", "notice.fact.after"),
			},
			short: map[string]short{
				formFor(aContact, FormSMS):    {text: "notice.mailbox-changed.contact-sms"},
				formFor(aContact, FormSMSRef): {text: "notice.mailbox-changed.contact-sms", end: andReference},
			},
		},
		{
			name:  CriticalSent,
			mails: map[string]mail{"": formerMail("notice.critical-sent.subject", "notice.critical-sent.ask", "notice.critical-sent.why")},
			short: map[string]short{FormSMS: {text: "notice.critical-sent.sms"}},
		},
	}
}

// andReference ends a text message with its reference, where there is room.
const andReference = " {reference}"

// formerMail is for a contact that is one no longer. Reference and code are to be typed, into a page that the reader
// opened: so no scanner can dispute, and no copy of this mail can lead anywhere.
func formerMail(subject, ask, reason string) mail {
	return mail{
		subject: subject,
		parts: []part{
			{says: asked, text: ask},
			{label: "notice.former.page", set: "{origin}/dispute", as: line},
			{label: "notice.former.reference", set: "{reference}", as: large},
			{label: "notice.former.code", set: "{dispute_code}", as: large},
			{text: "notice.former.where"},
			{label: "notice.label.dispute", text: "notice.former.dispute"},
			{says: why, label: "notice.label.why-told", text: reason},
			{says: byWhen, label: "notice.label.by-when", text: "notice.former.by-when"},
			{says: otherwise, label: "notice.label.otherwise", text: "notice.former.otherwise"},
			{label: "notice.label.unknown", text: "notice.former.unknown"},
		},
		footer: "notice.footer-address",
	}
}

var contactNewMail = mail{
	subject: "notice.contact-changed.new-subject",
	parts: []part{
		{says: asked, text: "notice.contact-changed.new-ask"},
		{label: "notice.label.what-comes", text: "notice.contact-changed.new-gets"},
		{says: why, label: "notice.label.why-told", text: "notice.contact-changed.new-why"},
		{says: byWhen, label: "notice.label.by-when", text: "notice.no-date"},
		{says: otherwise, label: "notice.label.otherwise", text: "notice.contact-changed.new-otherwise"},
		{label: "notice.label.not-agreed", text: "notice.contact-changed.new-not-agreed"},
	},
	footer: "notice.footer",
}

// changeMail tells the mailbox, and the other contacts in force, of a contact that was replaced or removed.
func changeMail(subject, ask string, now ...string) mail {
	facts := append([]string{"notice.fact.slot", "notice.fact.before"}, now...)
	return mail{
		subject: subject,
		parts: []part{
			{says: asked, text: ask},
			{facts: append(facts, "notice.fact.when", "notice.fact.how")},
			{says: why, label: "notice.label.why-told", text: "notice.change.why"},
			{says: byWhen, label: "notice.label.by-when", text: "notice.change.by-when"},
			{says: otherwise, label: "notice.label.otherwise", text: "notice.change.otherwise"},
			{label: "notice.label.not-agreed", text: "notice.change.not-agreed"},
		},
		footer: "notice.footer",
	}
}

// disputedMail tells of a dispute. Who made it is told to nobody.
func disputedMail(prefix, label string, values ...string) mail {
	facts := append([]string{"notice.fact.slot"}, values...)
	return mail{
		subject: prefix + "subject",
		parts: []part{
			{says: asked, text: prefix + "ask"},
			{facts: append(facts, "notice.fact.when")},
			{label: "notice.label.dispute", text: "notice.disputed.then"},
			{says: why, label: "notice.label.why-told", text: "notice.disputed.why"},
			{says: byWhen, label: "notice.label.by-when", text: "notice.no-date"},
			{says: otherwise, label: "notice.label.otherwise", text: "notice.disputed.otherwise"},
			{label: label, text: prefix + "not-agreed"},
		},
		footer: "notice.footer",
	}
}

func mailboxChangedMail(prefix string, values ...string) mail {
	return mail{
		subject: prefix + "subject",
		parts: []part{
			{says: asked, text: prefix + "ask"},
			{facts: append(values, "notice.fact.when", "notice.fact.how")},
			{says: why, label: "notice.label.why-told", text: prefix + "why"},
			{says: byWhen, label: "notice.label.by-when", text: prefix + "by-when"},
			{says: otherwise, label: "notice.label.otherwise", text: prefix + "otherwise"},
			{label: "notice.label.not-agreed", text: prefix + "not-agreed"},
		},
		footer: "notice.footer",
	}
}
