package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"countersign.dev/apptest/browser"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/channel/outbox"
)

// A seller does everything that the portal is for, in each language and in each way that people use a browser.
func TestASellerLooksAfterTheirContacts(t *testing.T) {
	for _, walk := range []struct {
		name   string
		locale i18n.Locale
		engine store.Engine
		o      browser.Options
	}{
		{"in English by mouse", i18n.En, store.SQLite, browser.Options{}},
		{"in Chinese on a phone", i18n.Zh, store.PostgreSQL, browser.Options{Width: browser.Phone}},
		{"in English by keyboard", i18n.En, store.PostgreSQL, browser.Options{Keyboard: true}},
		{"in Chinese by keyboard", i18n.Zh, store.SQLite, browser.Options{Keyboard: true, Dark: true}},
		{"in English without scripts", i18n.En, store.SQLite, browser.Options{NoScript: true}},
		{"in Chinese without scripts", i18n.Zh, store.PostgreSQL, browser.Options{NoScript: true, Width: browser.Phone}},
	} {
		t.Run(walk.name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, walk.engine)
			h := holders[walk.locale]
			p.settle(h)
			s := p.come(t, h, walk.o)
			s.putsOffThePhone()
			s.verifiesByCode(h.email)
			s.verifiesByLinkHere("second@spare.example")
			s.verifiesByLinkElsewhere("third@spare.example", walk.o)
			s.verifiesThePhone(h.phone)
			s.changesTheEmail("new@spare.example")
			s.disputesTheChange(h, "new@spare.example", walk.o)
			s.removes("email-2", "second@spare.example")
			s.returns()
		})
	}
}

func (s *person) putsOffThePhone() {
	s.Helper()
	s.Click(s.card("portal.card.defer", "phone"))
	s.AwaitHeading(s.say("portal.defer.title", s.contactName("phone")))
	s.Click(s.say("portal.defer.why.travel"))
	s.Click(s.say("portal.defer.submit"))
	s.AwaitHeading(s.say("portal.home.title"))
	s.Await(s.say("portal.home.done-deferred"))
	s.p.happened(s.id, "contact.deferred", 1)
}

// verifiesByCode mistypes the code first.
func (s *person) verifiesByCode(email string) {
	s.Helper()
	s.Click(s.card("portal.card.verify", "email"))
	s.asks("email", "code")
	code := sixDigits.FindString(s.p.message(email, 1).Text)
	s.types("code", wrong(code))
	s.Await(s.say("ui.errors.title"))
	s.types("code", code[:3]+" "+code[3:])
	s.verified("email")
	s.home()
}

func (s *person) adds(slot, value string) {
	s.Helper()
	s.Click(s.say("portal.home.further-email"))
	s.AwaitHeading(s.say("portal.change.title-add", s.contactName(slot)))
	s.Type(s.say("portal.change.value-email"), value)
	s.Click(s.say("portal.change.submit"))
}

func (s *person) verifiesByLinkHere(email string) {
	s.Helper()
	s.adds("email-2", email)
	s.asks("email-2", "link")
	s.Open(linkIn(s, s.p.message(email, 1)))
	s.AwaitHeading(s.say("portal.link.confirm.title"))
	s.Click(s.say("portal.link.confirm.submit"))
	s.verified("email-2")
	s.home()
}

var shownCode = regexp.MustCompile(`\b\d{3}[ \x{2009}]?\d{3}\b`)

// verifiesByLinkElsewhere opens the link on another device, which shows the code.
func (s *person) verifiesByLinkElsewhere(email string, o browser.Options) {
	s.Helper()
	s.adds("email-3", email)
	s.asks("email-3", "link")
	other := s.elsewhere(o)
	other.Open(linkIn(s, s.p.message(email, 1)))
	other.AwaitHeading(s.say("portal.link.show.title"))
	s.types("link", shownCode.FindString(other.Text()))
	s.verified("email-3")
	s.home()
	other.Reload()
	other.AwaitHeading(s.say("portal.link.ended.already-used.title"))
}

// elsewhere is the same person at another device.
func (s *person) elsewhere(o browser.Options) *browser.Visitor {
	s.Helper()
	o.Locale = string(s.locale)
	return browser.New(s.TB, o)
}

func (s *person) verifiesThePhone(number string) {
	s.Helper()
	s.Click(s.card("portal.card.verify", "phone"))
	s.asks("phone", "sms")
	s.types("sms", sixDigits.FindString(s.p.newestSMS().Text))
	s.verified("phone")
	s.home()
}

// newestSMS waits for a text message and returns the last one.
func (p *platform) newestSMS() (sms outbox.Message) {
	p.Helper()
	p.eventually("a text message in the outbox", func() bool {
		for _, m := range p.main.outbox.Messages() {
			if m.Channel == "sms" {
				sms = m
				return true
			}
		}
		return false
	})
	return sms
}

func (s *person) changesTheEmail(value string) {
	s.Helper()
	s.p.clock.Advance(time.Minute) // the pause between two messages is over
	s.Click(s.card("portal.card.change-it", "email"))
	s.AwaitHeading(s.say("portal.change.title", s.contactName("email")))
	s.Type(s.say("portal.change.value-email"), value)
	s.Click(s.say("portal.change.submit"))
	s.asks("email", "code")
	s.types("code", sixDigits.FindString(s.p.message(value, 1).Text))
	s.verified("email")
	s.home()
}

// disputesTheChange is done by whoever reads the old address: on another device, without a session, with what the message says.
func (s *person) disputesTheChange(h holder, value string, o browser.Options) {
	s.Helper()
	told := s.p.message(h.email, 2)
	if full := s.p.message(value, 2).Text; !strings.Contains(full, h.name) || strings.Contains(told.Text, h.name) {
		s.Errorf("the new address was told\n%s\nand the old one\n%s", full, told.Text)
	}
	s.p.message(h.mailbox, 1)
	reference, code := disputeIn(s, told)
	old := s.elsewhere(o)
	old.Open(s.p.main.URL() + "/dispute")
	old.AwaitHeading(s.say("portal.dispute.title"))
	old.Type(s.say("portal.dispute.reference"), strings.ToLower(reference))
	old.Type(s.say("portal.dispute.code"), code)
	old.Click(s.say("portal.dispute.submit"))
	old.AwaitHeading(s.say("portal.dispute.sent.title"))
	s.p.happened(s.id, "contact.disputed", 1)
	if state := s.p.contact(s.id, "email")["state"]; state != "verified" {
		s.Errorf("a dispute alone made the contact %v", state)
	}
}

func (s *person) removes(slot, value string) {
	s.Helper()
	s.Click(s.card("portal.card.remove", slot))
	s.AwaitHeading(s.say("portal.remove.title", s.contactName(slot)))
	s.Click(s.say("portal.remove.submit"))
	s.AwaitHeading(s.say("portal.home.title"))
	s.Await(s.say("portal.home.done-removed"))
	s.p.message(value, 2) // is told
	if c := s.p.contact(s.id, slot); c != nil {
		s.Errorf("the removed contact is still there: %v", c)
	}
}

func (s *person) returns() {
	s.Helper()
	s.Click(s.say("portal.back", "Harbourline"))
	s.AwaitHeading(platformName)
	if got := s.URL().String(); got != s.p.site+"/account?of="+s.id {
		s.Errorf("the seller came back to %s", got)
	}
}

// Whoever clicks twice, loads a page again or goes back and sends a form once more has done it once.
func TestNothingIsDoneTwice(t *testing.T) {
	for name, o := range map[string]browser.Options{"with scripts": {}, "without scripts": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, store.PostgreSQL)
			h := holders[i18n.En]
			p.settle(h)
			s := p.come(t, h, o)
			s.Click(s.card("portal.card.defer", "phone"))
			s.Click(s.say("portal.defer.why.travel"))
			s.DoubleClick(s.say("portal.defer.submit"))
			s.AwaitHeading(s.say("portal.home.title"))
			s.sendsCodesTwice(h)
			s.Click(s.card("portal.card.remove", "email"))
			s.DoubleClick(s.say("portal.remove.submit"))
			s.AwaitHeading(s.say("portal.home.title"))
			for _, what := range []string{"contact.deferred", "verification.started", "contact.verified", "contact.removed"} {
				p.happened(h.id, what, 1)
			}
			if sent := len(p.messages(h.email)); sent != 2 { // the code, and that the contact was removed
				t.Errorf("%d messages went to the address, not two", sent)
			}
		})
	}
}

func (s *person) sendsCodesTwice(h holder) {
	s.Helper()
	s.Click(s.card("portal.card.verify", "email"))
	s.DoubleClick(s.say("portal.verify.send-email"))
	s.AwaitHeading(s.say("portal.code.title-code"))
	s.Reload()
	s.AwaitHeading(s.say("portal.code.title-code"))
	s.Type(s.say("portal.code.label-code"), sixDigits.FindString(s.p.message(h.email, 1).Text))
	s.DoubleClick(s.say("portal.code.submit"))
	s.verified("email")
	s.Reload()
	s.verified("email")
	s.home()
}

// Keys alone: the first Tab offers to skip to the content, and Enter in a field sends its form.
func TestKeysThatPeopleKnowWork(t *testing.T) {
	p := newPlatform(t, store.SQLite)
	h := holders[i18n.Zh]
	p.settle(h)
	s := p.come(t, h, browser.Options{})
	s.Press("\t\r")
	if at := browser.Evaluate[string](s.Visitor, "document.activeElement.id"); at != "main" {
		t.Errorf("after skipping to the content the focus is at %q", at)
	}
	s.Click(s.card("portal.card.verify", "email"))
	s.asks("email", "code")
	s.Type(s.say("portal.code.label-code"), sixDigits.FindString(p.message(h.email, 1).Text))
	s.Press("\r")
	s.verified("email")
}
