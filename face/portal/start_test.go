package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/face/portal"
)

func TestTheURLOpensOnceForTheBrowserThatPressedTheButton(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			b.account(id, l)
			session, path := b.open(auth.SessionInput{Account: id, Locale: string(l)})
			mine, other := b.browser(), b.browser()
			for range 2 {
				mine.get(path).want(http.StatusOK).says(i18n.Text(l, "portal.start.title"), operator)
				other.get(path).want(http.StatusOK)
			}
			if slices.Contains(b.events(id), "session.redeemed") {
				t.Error("looking at the page redeemed it")
			}
			mine.post(path, nil).want(http.StatusOK).says(i18n.Text(l, "portal.home.title"))
			mine.post(path, nil).want(http.StatusOK) // a double click
			if p := mine.get(path); p.path != "/s/"+session {
				t.Errorf("the link leads its own browser to %s", p.path)
			}
			other.post(path, nil).want(http.StatusConflict).says(i18n.Text(l, "fault.portal-url-used"))
			b.browser().post(path, nil).want(http.StatusConflict)
			b.browser().get(path).want(http.StatusGone).says(i18n.Text(l, "fault.portal-url-used")).links(site).lacks(returnURL)
			other.get("/s/" + session).want(http.StatusUnauthorized)
			all := b.events(id)
			if n := len(all) - len(slices.DeleteFunc(all, func(e string) bool { return e == "session.refused" })); n != 1 {
				t.Errorf("%d refusals on record within a minute, want 1", n)
			}
		}
	})
}

func TestTheURLOpensWhatItIsFor(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		b.set("a", "phone-3", "+8613800138000")
		for flow, want := range map[string]string{
			"":               "",
			"settings":       "/settings",
			"verify-email":   "/contacts/email/verify",
			"verify-phone-3": "/contacts/phone-3/verify",
			"change-email-2": "/contacts/email-2/change",
		} {
			session, path := b.open(auth.SessionInput{Account: "a", Flow: flow})
			br := b.browser()
			br.get(path)
			if got := br.post(path, nil).path; got != "/s/"+session+want {
				t.Errorf("%q leads to %s", flow, got)
			}
		}
	})
}

func TestURLsThatOpenNothing(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		_, path := b.open(auth.SessionInput{Account: "a"})
		b.browser().post(path, nil).want(http.StatusBadRequest).says(i18n.Text(i18n.En, "fault.cookies-needed"))
		wrong := path[:len(path)-1] + map[bool]string{true: "b", false: "a"}[strings.HasSuffix(path, "a")]
		for _, unknown := range []string{wrong, "/start/x", "/start/" + strings.Repeat("0", 52)} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				b.browser().do(method, unknown, nil).want(http.StatusNotFound).says(i18n.Text(i18n.En, "fault.unknown-portal-url")).links(site)
			}
		}
		br := b.browser()
		br.get(path).want(http.StatusOK)
		b.clock.Advance(5 * time.Minute)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			br.do(method, path, nil).want(http.StatusGone).says(i18n.Text(i18n.En, "fault.portal-url-expired")).links(site).lacks(returnURL)
		}
	})
}

func TestThePageBeforeASessionSpeaksTheLanguageAskedFor(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", "")
		_, plain := b.open(auth.SessionInput{Account: "a"})
		_, chinese := b.open(auth.SessionInput{Account: "a", Locale: "zh-CN"})
		br := b.browser()
		br.get(plain).says(i18n.Text(i18n.En, "portal.start.title")).links(plain + "?lang=zh-CN")
		br.get(plain + "?lang=zh-CN").says(i18n.Text(i18n.Zh, "portal.start.title")).links(plain + "?lang=en")
		br.get(chinese).says(i18n.Text(i18n.Zh, "portal.start.title"))
		br.get(chinese + "?lang=en").says(i18n.Text(i18n.En, "portal.start.title"))
		br.header["Accept-Language"] = "zh-CN,zh;q=0.9"
		br.get(plain).says(i18n.Text(i18n.Zh, "portal.start.title"))
		br.get("/start/nothing").want(http.StatusNotFound).says(i18n.Text(i18n.Zh, "fault.unknown-portal-url"))
	})
}

func TestTheCookieIsTheBrowsersAndTheSessionsAlone(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		session, path := b.open(auth.SessionInput{Account: "a"})
		for secure, want := range map[bool]string{
			false: "cs-" + session + "=",
			true:  "__Host-cs-" + session + "=",
		} {
			o := b.options
			o.Secure = secure
			r := newRequest(http.MethodGet, path, nil)
			w := record(serve(portal.New(o)), r)
			cookie := w.Header().Get("Set-Cookie")
			if !strings.HasPrefix(cookie, want) || !strings.Contains(cookie, "; Path=/; HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") ||
				strings.Contains(cookie, "Secure") != secure || strings.Contains(cookie, "Expires") || strings.Contains(cookie, "Max-Age") {
				t.Errorf("secure %v: %s", secure, cookie)
			}
			value, _, _ := strings.Cut(strings.TrimPrefix(cookie, want), ";")
			if len(value) < 26 {
				t.Errorf("a secret of %d characters", len(value))
			}
			r.Header.Set("Cookie", want+value)
			if again := record(serve(portal.New(o)), r).Header().Get("Set-Cookie"); again != "" {
				t.Errorf("a browser that has a cookie gets another: %s", again)
			}
			r.Header.Set("Cookie", want+"short")
			if again := record(serve(portal.New(o)), r).Header().Get("Set-Cookie"); again == "" {
				t.Error("a cookie that can be none of ours is kept")
			}
		}
	})
}

func TestABrowserKeepsFewCookies(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br := b.browser()
		for range 12 {
			b.clock.Advance(time.Second)
			_, path := b.open(auth.SessionInput{Account: "a"})
			br.get(path)
			br.post(path, nil).want(http.StatusOK)
		}
		_, first := b.open(auth.SessionInput{Account: "a"})
		br.get(first)
		for range 12 {
			b.clock.Advance(time.Second)
			_, path := b.open(auth.SessionInput{Account: "a"})
			br.get(path)
		}
		br.post(first, nil).want(http.StatusOK) // the one that was opened is kept, however old
		u, _ := url.Parse(b.url)
		if n := len(br.client.Jar.Cookies(u)); n != 8 {
			t.Errorf("%d cookies", n)
		}
	})
}
