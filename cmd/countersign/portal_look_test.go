package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/apptest/browser"
	"countersign.dev/base/auth"
	"countersign.dev/base/store"
)

// Every page, in each language, wide and on a phone, light and dark, is accessible, whole and translated. The pictures are in the folder
// screenshots.
func TestEveryPageLooksRight(t *testing.T) {
	browser.NeedsAxe(t)
	for locale, h := range holders {
		t.Run(string(locale), func(t *testing.T) {
			t.Parallel()
			tour := newTour(t, h)
			tour.comingIn()
			tour.verifying()
			tour.changing()
			tour.puttingOff()
			tour.linkAndDispute()
			tour.turnedAway()
			tour.beside()
		})
		t.Run(string(locale)+" with a mail server", func(t *testing.T) {
			t.Parallel()
			visitRefusedMail(t, h)
		})
	}
}

// tour goes to all pages of one seller.
type tour struct {
	*person
	h    holder
	base string // of the session's addresses
}

func newTour(t *testing.T, h holder) *tour {
	p := newPlatform(t, store.SQLite)
	p.settle(h)
	p.must(http.StatusOK, http.MethodPut, contactPath(h.id, "phone-2"), object{"value": map[string]string{"GB": "020 7946 0735", "CN": "010 6552 9988"}[h.country]})
	v := browser.New(t, browser.Options{Locale: string(h.locale)})
	return &tour{person: &person{Visitor: v, p: p, locale: h.locale, id: h.id}, h: h}
}

func (o *tour) look(name string) {
	o.Helper()
	o.Inspect(string(o.locale) + "/" + name)
}

// at looks at a page of the session.
func (o *tour) at(name, path string) {
	o.Helper()
	o.Open(o.base + path)
	o.look(name)
}

func (o *tour) comingIn() {
	o.Helper()
	o.Open(o.p.portalURL(o.id, nil))
	o.look("start")
	o.Click(o.say("portal.start.button"))
	o.AwaitHeading(o.say("portal.home.title"))
	o.base = strings.TrimSuffix(o.URL().String(), "/")
	o.look("home-new")
	o.Open(o.base + "/settings")
	o.Click(o.say("portal.settings.save"))
	o.look("settings-saved")
}

func (o *tour) verifying() {
	o.Helper()
	o.at("verify-email", "/contacts/email/verify")
	o.asks("email", "code")
	o.p.message(o.h.email, 1)
	o.Await(o.say("portal.delivery.accepted-text-email"))
	o.look("code")
	browser.Evaluate[bool](o.Visitor, `globalThis.visited = true, document.getElementById("resend").form.submit(), true`) // as without scripts
	o.Arrive()
	o.look("code-too-soon")
	code := sixDigits.FindString(o.p.message(o.h.email, 1).Text)
	o.types("code", wrong(code))
	o.look("code-wrong")
	for range 4 {
		o.types("code", wrong(code))
	}
	o.look("code-exhausted")
	o.p.clock.Advance(time.Minute)
	o.Click(o.say("portal.ended.again-code"))
	o.types("code", sixDigits.FindString(o.p.message(o.h.email, 2).Text))
	o.verified("email")
	o.look("done")
	o.at("verify-phone", "/contacts/phone/verify")
	o.asks("phone", "sms")
	o.Await(o.say("portal.delivery.accepted-text-phone"))
	o.look("code-sms")
	o.at("verify-landline", "/contacts/phone-2/verify")
	o.at("verify-again", "/contacts/email/verify")
	o.at("home-codes-out", "")
}

func (o *tour) changing() {
	o.Helper()
	o.at("change-email", "/contacts/email/change")
	o.Type(o.say("portal.change.value-email"), "no address")
	o.Click(o.say("portal.change.submit"))
	o.look("change-email-wrong")
	o.at("change-phone", "/contacts/phone/change")
	o.at("remove-last", "/contacts/email/remove")
	o.Open(o.base + "/contacts/email/change")
	o.Type(o.say("portal.change.value-email"), "new@spare.example")
	o.Click(o.say("portal.change.submit"))
	o.look("verify-change")
	o.at("change-waits", "/contacts/email/change")
	o.at("home-change", "")
	o.at("remove-with-change", "/contacts/email/remove")
	o.p.clock.Advance(time.Minute)
	o.Open(o.base + "/contacts/email/verify")
	o.asks("email", "code")
	o.types("code", sixDigits.FindString(o.p.message("new@spare.example", 1).Text))
	o.verified("email")
	o.look("done-change")
	o.at("activity", "/activity")
}

func (o *tour) puttingOff() {
	o.Helper()
	o.at("defer", "/contacts/phone-2/defer")
	o.Click(o.say("portal.defer.submit"))
	o.look("defer-wrong")
	o.at("defer-needless", "/contacts/email/defer")
	for _, days := range []int{2, 4, 6} {
		o.p.must(http.StatusCreated, http.MethodPost, contactPath(o.id, "phone-2")+"/deferrals",
			object{"until": o.p.clock.Now().Add(time.Duration(days) * 24 * time.Hour), "reason": "later"})
	}
	o.at("defer-used-up", "/contacts/phone-2/defer")
	o.at("home-deferred", "")
}

func (o *tour) linkAndDispute() {
	o.Helper()
	o.Open(o.base + "/contacts/email-2/change")
	o.Type(o.say("portal.change.value-email"), "second@spare.example")
	o.Click(o.say("portal.change.submit"))
	o.asks("email-2", "link")
	link := linkIn(o, o.p.message("second@spare.example", 1))
	o.Await(o.say("portal.delivery.accepted-text-email"))
	o.look("code-link")
	other := &tour{person: &person{Visitor: o.elsewhere(browser.Options{}), p: o.p, locale: o.locale, id: o.id}, h: o.h}
	other.Open(link)
	other.look("link-shown")
	o.Open(link)
	o.look("link-confirm")
	o.Click(o.say("portal.link.confirm.submit"))
	o.verified("email-2")
	other.Reload()
	other.look("link-used")

	reference, code := disputeIn(o, o.p.message(o.h.email, 3))
	other.Open(o.p.main.URL() + "/dispute")
	other.look("dispute")
	other.Type(o.say("portal.dispute.reference"), reference)
	other.Type(o.say("portal.dispute.code"), "00000000")
	other.Click(o.say("portal.dispute.submit"))
	other.look("dispute-wrong")
	other.Type(o.say("portal.dispute.code"), code)
	other.Click(o.say("portal.dispute.submit"))
	other.look("dispute-sent")
}

// turnedAway are the pages of those who cannot go on.
func (o *tour) turnedAway() {
	o.Helper()
	o.at("not-found", "/nowhere")
	used := o.p.portalURL(o.id, nil)
	first := browser.New(o.TB, browser.Options{Locale: string(o.locale)})
	first.Open(used)
	first.Click(o.say("portal.start.button"))
	o.Open(used)
	o.look("start-used")
	for name, in := range map[string]object{
		"home-view-only": {"may": []auth.Right{auth.View}},
		"home-stale":     {"authenticated_at": o.p.clock.Now().Add(-20 * time.Minute)},
	} {
		limited := browser.New(o.TB, browser.Options{Locale: string(o.locale)})
		limited.Open(o.p.portalURL(o.id, in))
		limited.Click(o.say("portal.start.button"))
		limited.Inspect(string(o.locale) + "/" + name)
	}
	o.Open(o.base + "/contacts/email/change")
	o.Type(o.say("portal.change.value-email"), "typed@spare.example")
	o.p.must(http.StatusNoContent, http.MethodDelete, accountPath(o.id)+"/portal-sessions", nil)
	o.Click(o.say("portal.change.submit"))
	o.Await("typed@spare.example")
	o.look("session-ended")
}

// beside are the pages that are no account holder's.
func (o *tour) beside() {
	o.Helper()
	o.Open(o.p.main.URL() + "/styleguide")
	o.look("styleguide")
	o.Open(o.p.main.open.OneTimeURL(o.p.main.URL()))
	o.look("outbox")
}

// visitRefusedMail looks at the pages that speak of a real mail server, and of a channel that there is not.
func visitRefusedMail(t *testing.T, h holder) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	sink.Fail(apptest.Failure{At: apptest.AtRcpt, To: h.email, Code: 550, Enhanced: "5.1.1", Text: "no such user here"})
	sink.Fail(apptest.Failure{At: apptest.AtRcpt, To: "slow@spare.example", Code: 451, Enhanced: "4.7.1", Text: "greylisted, come back"})
	p := newPlatform(t, store.SQLite, func(m *Main) {
		m.Settings.SMTP.URL, m.Settings.Mail.From = sink.URL(), "contacts@harbourline.example"
	})
	p.settle(h)
	s := p.come(t, h, browser.Options{})
	base := strings.TrimSuffix(s.URL().String(), "/")
	s.Open(base + "/contacts/phone/verify")
	s.Inspect(string(h.locale) + "/verify-no-route")
	s.Open(base + "/contacts/email/verify")
	s.asks("email", "code")
	s.Await("no such user here")
	s.Inspect(string(h.locale) + "/code-refused")
	s.Open(base)
	s.Inspect(string(h.locale) + "/home-bounced")
	s.adds("email-2", "slow@spare.example")
	s.asks("email-2", "code")
	s.Await("greylisted, come back")
	s.Inspect(string(h.locale) + "/code-delayed")
}
