package portal_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
)

func newRequest(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Accept", "text/html")
	return r
}

func record(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTwoAccountsInOneBrowserNeverMix(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.account("b", i18n.En)
		b.set("a", "email", "anna@one.example")
		b.set("b", "email", "zhang@two.example")
		br := b.browser()
		homes := map[string]string{}
		for _, id := range []string{"a", "b"} {
			session, path := b.open(auth.SessionInput{Account: id})
			br.get(path)
			br.post(path, nil).want(http.StatusOK)
			homes[id] = "/s/" + session
		}
		br.get(homes["a"]).want(http.StatusOK).says("@one.example").silent("@two.example")
		br.get(homes["b"]).want(http.StatusOK).says("@two.example").silent("@one.example")

		other, _ := b.enter(auth.SessionInput{Account: "b"})
		other.get(homes["a"]).want(http.StatusUnauthorized).silent("@one.example").links(site).lacks(returnURL)

		// The cookie of one session under the name of another opens nothing.
		u, _ := url.Parse(b.url)
		cookies := br.client.Jar.Cookies(u)
		cookies[0].Value, cookies[1].Value = cookies[1].Value, cookies[0].Value
		br.client.Jar.SetCookies(u, cookies)
		br.get(homes["a"]).want(http.StatusUnauthorized)
		br.get(homes["b"]).want(http.StatusUnauthorized)
	})
}

func TestASessionEnds(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			b.account(id, l)
			ends := map[string]func(br *browser, home string){
				"idle":          func(*browser, string) { b.clock.Advance(30 * time.Minute) },
				"at its end":    func(br *browser, home string) { b.use(br, home, 8*time.Hour) },
				"by its holder": func(br *browser, home string) { br.post(home+"/sign-out", nil) },
				"by the platform": func(*browser, string) {
					b.write(func(tx *store.Tx) error {
						_, err := b.sessions.EndAll(b.ctx, tx, id, event.CLI)
						return err
					})
				},
			}
			for name, end := range ends {
				br, home := b.enter(auth.SessionInput{Account: id, Locale: string(l)})
				end(br, home)
				p := br.get(home).want(http.StatusUnauthorized)
				p.says(i18n.Text(l, "portal.fail.session-ended"), i18n.Text(l, "portal.back", operator)).links(returnURL)
				if p.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: no challenge", name)
				}
			}
		}
	})
}

// use looks at a page every 20 minutes for so long.
func (b *bundle) use(br *browser, path string, d time.Duration) {
	b.Helper()
	for end := b.clock.Now().Add(d); b.clock.Now().Before(end); b.clock.Advance(20 * time.Minute) {
		br.get(path).want(http.StatusOK)
	}
}

func TestWhatWasTypedIsShownWhenTheSessionHasEnded(t *testing.T) {
	typed := url.Values{"value": {"mei@example.com"}, "reason": {"<waiting>"}, "code": {"482915"}, "dispute_code": {"48291537"}, "other": {"else"}}
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.Zh)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		b.clock.Advance(time.Hour)
		p := br.post(home+"/settings", typed).want(http.StatusUnauthorized)
		p.says(i18n.Text(i18n.Zh, "portal.typed.title"), "mei@example.com", "<waiting>").silent("482915", "48291537", "else")
		p = b.browser().post(home+"/settings", typed).want(http.StatusUnauthorized)
		p.says("mei@example.com").silent("482915")
		br.get(home + "/settings?value=x").silent(i18n.Text(i18n.En, "portal.typed.title"))
	})
}

func TestAnErasedAccountHasNoSession(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		b.write(func(tx *store.Tx) error { return b.accounts.Erase(b.ctx, tx, "a", event.CLI) })
		br.get(home).want(http.StatusUnauthorized).says(i18n.Text(i18n.En, "portal.fail.session-unknown"))
	})
}

func TestWhatASessionMayNotDoIsRefusedAndSaysWhy(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			b.account(id, l)
			b.set(id, "email", "mei@example.com")
			br, home := b.enter(auth.SessionInput{Account: id, Locale: string(l), May: []auth.Right{auth.View}})
			br.get(home).want(http.StatusOK).says(
				i18n.Text(l, "portal.home.no-task"), i18n.Text(l, "portal.home.no-permission", operator),
			).lacks(home+"/contacts/email/verify", home+"/contacts/email/change", home+"/contacts/email/remove", home+"/contacts/email/defer")

			session, path := b.open(auth.SessionInput{Account: id, Locale: string(l), May: []auth.Right{auth.Verify}})
			br.get(path)
			br.post(path, nil)
			br.get("/s/" + session).want(http.StatusForbidden).says(i18n.Text(l, "portal.fail.right-missing")).links(returnURL)

			// Who signed in too long ago while filling in a form finds what they typed.
			br, home = b.enter(auth.SessionInput{Account: id, Locale: string(l), AuthenticatedAt: b.clock.Now()})
			br.get(home).links(home + "/contacts/email/change")
			b.clock.Advance(16 * time.Minute)
			br.get(home).says(i18n.Text(l, "portal.home.stale-why", operator)).links(home+"/contacts/email/verify", returnURL).
				lacks(home + "/contacts/email/change")
			br.post(home+"/contacts/email/change", url.Values{"value": {"new@example.com"}}).want(http.StatusForbidden).
				says(i18n.Text(l, "portal.fail.authentication-too-old"), i18n.Text(l, "portal.typed.title"), "new@example.com").links(returnURL)
		}
	})
}

// addCookies has a request come from a browser.
func addCookies(br *browser, r *http.Request) {
	u, err := url.Parse(br.b.url)
	br.b.must(err)
	for _, c := range br.client.Jar.Cookies(u) {
		r.AddCookie(c)
	}
}

func TestBadRequestsAreRefusedWithAPage(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		send := func(method, path, body string, headers ...string) *httptest.ResponseRecorder {
			r := newRequest(method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			addCookies(br, r)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			return record(b.handler, r)
		}
		unsized := newRequest(http.MethodPost, home+"/settings", io.NopCloser(bytes.NewReader(make([]byte, 5<<20))))
		unsized.ContentLength = -1
		unsized.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		addCookies(br, unsized)
		for name, tt := range map[string]struct {
			got    *httptest.ResponseRecorder
			status int
			text   string
		}{
			"another site's form":   {send("POST", home+"/settings", "value=PHISH", "Sec-Fetch-Site", "cross-site"), 403, "fault.cross-origin"},
			"a subdomain's form":    {send("POST", home+"/settings", "locale=en", "Sec-Fetch-Site", "same-site"), 403, "fault.cross-origin"},
			"another origin's form": {send("POST", home+"/settings", "locale=en", "Origin", "https://evil.example"), 403, "fault.cross-origin"},
			"a form of 5 MB":        {send("POST", home+"/settings", strings.Repeat("x", 5<<20)), 413, "portal.fault.body-too-large"},
			"5 MB without a size":   {record(b.handler, unsized), 413, "fault.form-too-large"},
			"a form of 100 kB":      {send("POST", home+"/settings", "locale="+strings.Repeat("x", 100<<10)), 413, "fault.form-too-large"},
			"no UTF-8":              {send("POST", home+"/settings", "locale=%ff"), 400, "fault.form-malformed"},
			"a NUL":                 {send("POST", home+"/settings", "locale=%00"), 400, "fault.form-malformed"},
			"broken escapes":        {send("POST", home+"/settings", "locale=%zz"), 400, "fault.form-malformed"},
			"no such page":          {send("GET", home+"/nothing", ""), 404, "portal.fault.not-found"},
			"no such address":       {send("GET", "/nothing", ""), 404, "portal.fault.not-found"},
			"a button's address":    {send("GET", home+"/sign-out", ""), 405, "portal.fault.method-not-allowed"},
		} {
			if tt.got.Code != tt.status || !strings.Contains(tt.got.Body.String(), i18n.Text(i18n.En, tt.text)) {
				t.Errorf("%s: %d, want %d: %s", name, tt.got.Code, tt.status, tt.got.Body)
			}
			if strings.Contains(tt.got.Body.String(), "PHISH") {
				t.Errorf("%s: shows what another site wrote", name)
			}
			if !strings.HasPrefix(tt.got.Header().Get("Content-Type"), "text/html") {
				t.Errorf("%s: %s", name, tt.got.Header().Get("Content-Type"))
			}
		}
	})
}

func TestEveryPageIsStrict(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		for _, path := range []string{"/start/x", home, home + "/settings", home + "/activity", "/s/x", "/nothing"} {
			p := br.get(path)
			csp := p.header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: %s", path, csp)
			}
			if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "strict-origin" {
				t.Errorf("%s: %v", path, p.header)
			}
		}
	})
}

func TestAPostThatIsSentAgainDoesNothingTwice(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		for range 2 {
			br.post(home+"/settings", url.Values{"locale": {"zh-CN"}, "time_zone": {"Asia/Tokyo"}}).want(http.StatusOK)
		}
		for range 2 {
			br.post(home+"/sign-out", nil).want(http.StatusUnauthorized)
		}
		count := map[string]int{}
		for _, e := range b.events("a") {
			count[e]++
		}
		if count["account.changed"] != 1 || count["session.ended"] != 1 {
			t.Errorf("%v", count)
		}
	})
}
