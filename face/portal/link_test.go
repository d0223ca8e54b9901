package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

var linkPath = regexp.MustCompile(`/link/[0-9a-z]{52}`)

// link waits for the next message and returns the path of the link in it.
func (b *bundle) link() string {
	b.Helper()
	b.read++
	b.must(b.box.Wait(b.ctx, b.read))
	all := b.box.Messages() // newest first
	path := linkPath.FindString(all[len(all)-b.read].Text)
	if path == "" {
		b.Fatal("no link in the message")
	}
	return path
}

// shownCode is the code on a page that shows one.
func (p page) shownCode() string {
	p.Helper()
	for _, n := range p.all(func(n *html.Node) bool { return n.Data == "code" }) {
		if digits := strings.Join(strings.FieldsFunc(textOf(n), func(r rune) bool { return r < '0' || r > '9' }), ""); len(digits) == 6 {
			return digits
		}
	}
	p.Fatalf("%s shows no code: %s", p.path, p.text)
	return ""
}

func TestALinkConfirmsInTheBrowserThatAskedForIt(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		asked := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"), "method", "link").
			says(say("portal.code.lead-link", "m•••@example.com"), say("portal.code.link-elsewhere"))
		path := b.link()
		for range 2 {
			br.do(http.MethodHead, path, nil).want(http.StatusOK)
			br.get(path).want(http.StatusOK)
		}
		if _, _, state := b.holds(id, "email"); state != contact.Unverified {
			b.Fatalf("looking at it made it %s", state)
		}
		p := br.get(path).says(say("portal.link.confirm.lead", "Mei Trading"), "m•••@example.com")
		done := br.press(p, say("portal.link.confirm.submit")).want(http.StatusOK).says(say("portal.done.title", say("portal.task.email")))
		if done.path != asked.path {
			b.Errorf("it leads to %s", done.path)
		}
		if again := br.press(p, say("portal.link.confirm.submit")).want(http.StatusOK); again.path != done.path { // a double click
			b.Errorf("the second click leads to %s", again.path)
		}
		b.browser().do(http.MethodPost, path, nil).want(http.StatusConflict).quiet()
	})
}

func TestALinkShowsItsCodeInAnyOtherBrowser(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		asked := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"), "method", "link")
		path := b.link()
		b.account("stranger-"+id, i18n.En)
		stranger, _ := b.enter(auth.SessionInput{Account: "stranger-" + id})
		viewer, _ := b.enter(auth.SessionInput{Account: id, May: []auth.Right{auth.View, auth.Change}})
		language := map[string]string{"seller-en": "en", "seller-zh-CN": "zh-CN"}[id]
		var code string
		for _, other := range []*browser{b.browser(), stranger, viewer} {
			p := other.get(path+"?lang="+language).want(http.StatusOK).quiet().
				says(say("portal.link.show.lead", operator), say("portal.link.not-you.text")).silent("m•••@example.com", "Mei Trading")
			if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "strict-origin" {
				b.Errorf("headers %v", p.header)
			}
			code = p.shownCode()
			refused := other.post(path+"?lang="+language, nil).want(http.StatusForbidden).quiet().says(say("portal.link.refused.title"))
			if refused.shownCode() != code {
				b.Error("another code")
			}
		}
		if _, _, state := b.holds(id, "email"); state != contact.Unverified {
			b.Fatalf("it is %s", state)
		}
		br.press(asked, say("portal.code.submit"), "code", code).want(http.StatusOK).says(say("portal.done.title", say("portal.task.email")))
	})
}

func TestALinkThatProvesNothingSaysWhy(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		guest := b.browser()
		ends := func(path string, status int, id string) {
			b.Helper()
			for l, query := range map[i18n.Locale]string{i18n.En: "", i18n.Zh: "?lang=zh-CN"} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					guest.do(method, path+query, nil).want(status).quiet().
						says(i18n.Text(l, "portal.link.ended."+id+".title"), i18n.Text(l, "portal.link.ended."+id+".text"))
				}
			}
		}
		b.begin("a", "email", verify.Link)
		first := b.link()
		b.clock.Advance(pause)
		b.begin("a", "email", verify.Link)
		second := b.link()
		ends(first, http.StatusConflict, "superseded")
		b.clock.Advance(25 * time.Hour)
		ends(second, http.StatusGone, "expired")
		b.begin("a", "email", verify.Link)
		third := b.link()
		b.set("a", "email", "li@example.com")
		ends(third, http.StatusConflict, "contact-changed")

		wrong := map[bool]string{true: "0", false: "1"}[strings.HasSuffix(third, "1")]
		texts := map[string]bool{}
		for _, path := range []string{third[:len(third)-1] + wrong, "/link/" + strings.Repeat("0", 52), "/link/short"} {
			ends(path, http.StatusNotFound, "unknown-link")
			texts[guest.get(path).text] = true
		}
		if len(texts) != 1 {
			b.Errorf("wrong tokens are told apart: %v", texts)
		}
	})
}
