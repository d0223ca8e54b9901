package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/apptest/browser"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/channel/outbox"
)

// platform is the running program with the platform's own site beside it, from which its sellers come and to which they return.
type platform struct {
	*service
	site  string
	clock *apptest.Clock
}

// platformName is what its site says, so that a test sees when it is there.
const platformName = "Harbourline, your account"

func newPlatform(t *testing.T, engine store.Engine, more ...func(*Main)) *platform {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Site</title><link rel="icon" href="data:,"><h1>%s</h1>`, platformName)
	}))
	t.Cleanup(site.Close)
	p := &platform{site: site.URL, clock: apptest.NewClock(time.Now())}
	s := settingsOn(t, engine)
	s.ReturnURLs = []string{site.URL + "/account"}
	p.service = serve(t, s, append(more, at(p.clock))...)
	return p
}

// person is the holder of an account in front of a browser.
type person struct {
	*browser.Visitor
	p      *platform
	locale i18n.Locale
	id     string
}

// holder is how an account is known to the platform.
type holder struct {
	id, name, country, zone string
	locale                  i18n.Locale
	email, phone, mailbox   string
}

// holders are the sellers of the tests, one for each language.
var holders = map[i18n.Locale]holder{
	i18n.En: {"blue-kiln", "Blue Kiln Ceramics", "GB", "Europe/London", i18n.En, "harriet@blue-kiln.example", "07400 582934", "post@blue-kiln.example"},
	i18n.Zh: {"lotus-trading", "莲花贸易有限公司", "CN", "Asia/Shanghai", i18n.Zh, "mei@lotus.example", "138 2719 4466", "box@lotus.example"},
}

// settle registers a holder's account, with an e-mail address and a phone that are not verified.
func (p *platform) settle(h holder) {
	p.Helper()
	p.put(h.id, object{"name": h.name, "locale": string(h.locale), "country": h.country, "time_zone": h.zone, "mailbox": h.mailbox},
		map[string]string{"email": h.email, "phone": h.phone})
}

// quiet tells whether nothing is under way: every event was handled, every message has left.
func (p *platform) quiet(db *sql.DB) bool {
	p.Helper()
	const query = "SELECT (SELECT COUNT(*) FROM event WHERE seq IS NULL OR unhandled) + (SELECT COUNT(*) FROM delivery WHERE state = 'queued')"
	var n int
	if err := db.QueryRowContext(p.Context(), query).Scan(&n); err != nil {
		p.Fatal(err)
	}
	return n == 0
}

// happened waits until something has happened to an account this often, as the feed has it.
func (p *platform) happened(account, what string, n int) {
	p.Helper()
	p.eventually("the event "+what, func() bool { return countOf(p.events(account), what) >= n })
	if got := countOf(p.events(account), what); got != n {
		p.Errorf("%s happened %d times to %s, want %d", what, got, account, n)
	}
}

// portalURL opens a session of the portal, as the platform's own site does; in adds to the request.
func (p *platform) portalURL(account string, in object) string {
	p.Helper()
	body := object{"account": account, "return_url": p.site + "/account?of=" + account}
	for member, value := range in {
		body[member] = value
	}
	return p.must(http.StatusCreated, http.MethodPost, "/v1/portal-sessions", body).text("url")
}

// come seats a seller in front of a browser and has them come in from the platform's site.
func (p *platform) come(t *testing.T, h holder, o browser.Options) *person {
	t.Helper()
	o.Locale = string(h.locale)
	s := &person{Visitor: browser.New(t, o), p: p, locale: h.locale, id: h.id}
	s.Open(p.portalURL(h.id, nil))
	s.AwaitHeading(s.say("portal.start.title"))
	s.Click(s.say("portal.start.button"))
	s.AwaitHeading(s.say("portal.home.title"))
	return s
}

// say is a text in the seller's language.
func (s *person) say(id string, args ...any) string { return i18n.Text(s.locale, id, args...) }

// card names what stands on the card of a slot: those who hear the page hear which one.
func (s *person) card(id, slot string) string { return s.say(id) + " " + s.slot(slot) }

// slot is what home calls a slot, such as "email-2".
func (s *person) slot(name string) string {
	if kind, rank, further := strings.Cut(name, "-"); further {
		return s.say("portal.slot.further-"+kind, int(rank[0]-'0'))
	}
	return s.say("portal.slot." + name)
}

// contactName is what a slot is called within a sentence.
func (s *person) contactName(slot string) string {
	if kind, rank, further := strings.Cut(slot, "-"); further {
		return s.say("portal.task.further-"+kind, int(rank[0]-'0'))
	}
	return s.say("portal.task." + slot)
}

// home goes back to the first page.
func (s *person) home() {
	s.Helper()
	s.Click(s.say("portal.task.home"))
	s.AwaitHeading(s.say("portal.home.title"))
}

// asks starts a verification on its page: by code, link or sms.
func (s *person) asks(slot, method string) {
	s.Helper()
	s.AwaitHeading(s.say("portal.verify.title", s.contactName(slot)))
	if method == "sms" {
		s.Click(s.say("portal.verify.send-phone"))
	} else {
		s.Click(s.say("portal.verify.method."+method) + " " + s.say("portal.verify.method."+method+"-hint"))
		s.Click(s.say("portal.verify.send-email"))
	}
	s.AwaitHeading(s.say("portal.code.title-" + method))
}

// types hands in a code on the page that waits for it.
func (s *person) types(method, code string) {
	s.Helper()
	s.Type(s.say("portal.code.label-"+method), code)
	s.Click(s.say("portal.code.submit"))
}

// verified waits for the page that says so.
func (s *person) verified(slot string) {
	s.Helper()
	s.AwaitHeading(s.say("portal.done.title", s.contactName(slot)))
}

var linkInMail = regexp.MustCompile(`http://[^\s"<>]+/link/\w+`)

// linkIn is the link of a mail.
func linkIn(t testing.TB, m outbox.Message) string {
	t.Helper()
	link := linkInMail.FindString(m.Text)
	if link == "" {
		t.Fatalf("there is no link in the mail:\n%s", m.Text)
	}
	return link
}

var (
	referenceInMail = regexp.MustCompile(`CS-\w{4}-\w{4}-\w{2}`)
	disputeInMail   = regexp.MustCompile(`\b\d{4} ?\d{4}\b`)
)

// disputeIn is what a message to a former contact has to be typed of: its reference and its code.
func disputeIn(t testing.TB, m outbox.Message) (reference, code string) {
	t.Helper()
	reference, code = referenceInMail.FindString(m.Text), disputeInMail.FindString(m.Text)
	if reference == "" || code == "" {
		t.Fatalf("there is no reference or no code in the message:\n%s", m.Text)
	}
	return reference, code
}
