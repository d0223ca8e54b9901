package api_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/store"
)

func TestBothContactsAreVerified(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("seller-4711")
		for slot, method := range map[string]string{"email": "code", "phone": "sms"} {
			id, code := b.begin("seller-4711", slot, method)
			out := b.want(422, "incorrect-code", b.check(id, other(code)))
			if out.doc["guesses_left"] != 4.0 || out.doc["field"] != "code" {
				t.Errorf("%v", out.doc)
			}
			if got := b.get("/v1/verifications/" + id).doc; got["state"] != "pending" || got["guesses_left"] != 4.0 || got["slot"] != slot {
				t.Errorf("%v", got)
			}
			out = b.want(200, "", b.check(id, code[:3]+" "+code[3:]))
			if out.doc["state"] != "verified" {
				t.Errorf("%v", out.doc)
			}
			b.want(409, "already-used", b.check(id, code))
		}
		for _, c := range b.get("/v1/accounts/seller-4711/contacts").doc["contacts"].([]any) {
			c := c.(map[string]any)
			if c["state"] != "verified" || c["verified_at"] != "2026-03-03T09:30:00Z" || c["value"] != nil {
				t.Errorf("%v", c)
			}
		}
	})
}

var linkInMail = regexp.MustCompile(regexp.QuoteMeta(publicURL) + `/link/([0-9a-z]{52})`)

// link waits for the next message and returns the token of the link in it and the code that it stands for.
func (b *bundle) link() (token, code string) {
	b.Helper()
	b.settled()
	found := linkInMail.FindStringSubmatch(b.box.Messages()[0].Text)
	if found == nil {
		b.Fatal("no link in the message")
	}
	b.must(b.db.Read(b.ctx, func(tx *store.Tx) (err error) {
		_, code, err = b.options.Verifier.OpenLink(b.ctx, tx, found[1])
		return err
	}))
	return found[1], code
}

// No answer of the API holds a link's token or its code, though a code that was read from the link's page is checked as any other.
func TestAContactIsVerifiedByLink(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		start := request{method: "POST", path: "/v1/accounts/a/contacts/email/verifications", body: map[string]any{"method": "link"}}.idempotent("k")
		out := b.fresh(201, "", start)
		id := out.doc["id"].(string)
		if out.doc["method"] != "link" || out.doc["expires_at"] != "2026-03-04T09:30:00Z" || out.doc["guesses_left"] != 5.0 {
			t.Errorf("%v", out.doc)
		}
		first, firstCode := b.link()
		b.replayed(201, "", start)
		b.clock.Advance(time.Minute)
		b.fresh(200, "", request{method: "POST", path: "/v1/verifications/" + id + "/resend"})
		second, secondCode := b.link()
		wrong := "000000"
		for wrong == firstCode || wrong == secondCode {
			wrong = other(wrong)
		}
		b.want(422, "incorrect-code", b.check(id, wrong))
		b.get("/v1/verifications/" + id)
		b.get("/v1/accounts/a/contacts?reveal=true")
		b.feed("")
		seen := long.ReplaceAllString(b.seen.String(), "")
		for _, secret := range []string{first, second, first[26:], second[26:]} {
			if strings.Contains(b.seen.String(), secret) {
				t.Error("an answer holds a token")
			}
		}
		for _, code := range []string{firstCode, secondCode} {
			if strings.Contains(seen, code) {
				t.Error("an answer holds a code")
			}
		}
		b.want(200, "", b.check(id, firstCode)) // the newest three work
		b.want(409, "already-used", b.check(id, secondCode))
		b.want(422, "method-not-for-slot", request{
			method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "link"},
		})
	})
}

func TestResendWaitsForTheCoolDown(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		id, first := b.begin("a", "email", "code")
		resend := request{method: "POST", path: "/v1/verifications/" + id + "/resend"}
		out := b.want(429, "resend-too-soon", resend)
		if out.header.Get("Retry-After") != "30" {
			t.Errorf("Retry-After %q", out.header.Get("Retry-After"))
		}
		b.clock.Advance(31 * time.Second)
		out = b.want(200, "", resend)
		if out.doc["id"] != id || out.doc["resend_after"] != "2026-03-03T09:31:31Z" {
			t.Errorf("%v", out.doc)
		}
		b.code()
		b.want(200, "", b.check(id, first))
	})
}

func TestAccounts(t *testing.T) {
	onBoth(t, func(b *bundle) {
		put := request{method: "PUT", path: "/v1/accounts/a", body: map[string]any{"name": "Li Mei", "locale": "zh-CN", "mailbox": "shop@example.com"}}
		out := b.want(201, "", put)
		if out.doc["id"] != "a" || out.doc["time_zone"] != "UTC" || out.doc["mailbox"] != "shop@example.com" {
			t.Errorf("%v", out.doc)
		}
		b.want(200, "", put)
		put.body = map[string]any{"name": "Li Mei", "mailbox": nil}
		b.want(200, "", put)
		if got := b.get("/v1/accounts/a").doc; got["mailbox"] != nil || got["locale"] != "en" || got["name"] != "Li Mei" {
			t.Errorf("%v", got)
		}
		b.want(204, "", request{method: "DELETE", path: "/v1/accounts/a"})
		b.want(404, "unknown-account", request{method: "GET", path: "/v1/accounts/a"})
		b.want(404, "unknown-account", request{method: "DELETE", path: "/v1/accounts/a"})
	})
}

func TestListsReadPageByPage(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			b.account(id)
			b.clock.Advance(time.Minute)
		}
		id, code := b.begin("b", "phone", "sms")
		b.want(200, "", b.check(id, code))

		for filter, want := range map[string]string{
			"":                                   "acdeb", // by the time of the last change
			"slot_state=phone:unverified":        "acde",
			"slot_state=phone:verified":          "b",
			"slot_state=email-5:verified":        "",
			"changed_since=2026-03-03T09:32:00Z": "cdeb",
			"slot_state=phone:unverified&changed_since=2026-03-03T09:32:00Z": "cde",
		} {
			got, token := "", ""
			for range 10 {
				out := b.get("/v1/accounts?page_size=2&" + filter + "&page_token=" + token)
				for _, a := range out.doc["accounts"].([]any) {
					got += a.(map[string]any)["id"].(string)
				}
				if token, _ = out.doc["next_page_token"].(string); token == "" {
					break
				}
				b.want(400, "page-token", request{method: "GET", path: "/v1/accounts?slot_state=email:unverified&page_token=" + token})
				b.want(400, "page-token", request{method: "GET", path: "/v1/accounts?page_size=2&" + filter + "&page_token=A" + token[1:] + "A"})
			}
			if got != want {
				t.Errorf("%q: %s, want %s", filter, got, want)
			}
		}
		b.want(400, "page-token", request{method: "GET", path: "/v1/accounts?page_token=%00"})
		b.want(422, "slot-state-invalid", request{method: "GET", path: "/v1/accounts?slot_state=phone:asleep"})
		b.want(422, "page-size", request{method: "GET", path: "/v1/accounts?page_size=201"})
		b.want(422, "page-size", request{method: "GET", path: "/v1/accounts?page_size=many"})
		b.want(422, "wrong-type", request{method: "GET", path: "/v1/accounts?changed_since=yesterday"})
		b.want(422, "unknown-parameter", request{method: "GET", path: "/v1/accounts?name=Mei"})
	})
}

func TestContactsAreMaskedUnlessRevealed(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		out := b.get("/v1/accounts/a/contacts")
		if strings.Contains(out.text, "13800138000") || strings.Contains(out.text, "mei@example.com") {
			t.Error(out.text)
		}
		read := b.newKey(nil, auth.ContactsRead)
		out = b.want(403, "wrong-scope", request{method: "GET", path: "/v1/accounts/a/contacts?reveal=true", key: read})
		if out.doc["scope"] != "contacts:reveal" {
			t.Errorf("%v", out.doc)
		}
		b.want(200, "", request{method: "GET", path: "/v1/accounts/a/contacts?reveal=false", key: read})
		both := b.newKey(nil, auth.ContactsRead, auth.ContactsReveal)
		out = b.want(200, "", request{method: "GET", path: "/v1/accounts/a/contacts?reveal=true", key: both})
		contacts := out.doc["contacts"].([]any)
		if contacts[0].(map[string]any)["value"] != "mei@example.com" || contacts[1].(map[string]any)["value"] != "+8613800138000" {
			t.Errorf("%v", contacts)
		}
		if got := b.feed("contact.revealed"); len(got) != 2 {
			t.Errorf("%d events of a reveal of two contacts", len(got))
		}
	})
}

func TestAChangeOfAVerifiedContactWaits(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		id, code := b.begin("a", "email", "code")
		b.want(200, "", b.check(id, code))
		out := b.want(200, "", request{method: "PUT", path: "/v1/accounts/a/contacts/email", body: map[string]any{"value": "new@example.com"}})
		if out.doc["state"] != "verified" || out.doc["pending_change"] == nil || strings.Contains(out.text, "new@") {
			t.Error(out.text)
		}
		out = b.get("/v1/accounts/a/contacts?reveal=true")
		if !strings.Contains(out.text, "new@example.com") || !strings.Contains(out.text, "mei@example.com") {
			t.Error(out.text)
		}
		b.want(204, "", request{method: "DELETE", path: "/v1/accounts/a/contacts/email"})
		b.want(404, "unknown-contact", request{method: "DELETE", path: "/v1/accounts/a/contacts/email"})
	})
}

func TestDeferralsHaveABudget(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		put := request{method: "POST", path: "/v1/accounts/a/contacts/phone/deferrals", body: map[string]any{
			"until": "2026-03-08T09:30:00Z", "reason": "waiting for the new SIM card",
		}}
		out := b.want(201, "", put)
		if out.doc["days_left"] != 9.0 || out.doc["times_left"] != 2.0 || out.doc["until"] != "2026-03-08T09:30:00Z" {
			t.Errorf("%v", out.doc)
		}
		put.body = map[string]any{"until": "2026-06-08T09:30:00Z", "reason": "no"}
		out = b.want(422, "deferral-budget", put)
		if out.doc["days_left"] != 9.0 || out.doc["field"] != "until" {
			t.Errorf("%v", out.doc)
		}
		put.body = map[string]any{"until": "2026-03-01T09:30:00Z", "reason": "no"}
		b.want(422, "deferral-until-past", put)
		put.body = map[string]any{"until": "tomorrow", "reason": "no"}
		b.want(422, "wrong-type", put)
	})
}

// feed reads the whole feed and returns the events of a type.
func (b *bundle) feed(kind string) (found []map[string]any) {
	b.Helper()
	b.must(b.events.Drain(b.ctx))
	after, seq := "", 0.0
	for {
		out := b.get("/v1/events?page_size=3&after=" + after)
		events := out.doc["events"].([]any)
		for _, e := range events {
			e := e.(map[string]any)
			if e["seq"] != seq+1 {
				b.Errorf("event %v comes after %v", e["seq"], seq)
			}
			if seq = e["seq"].(float64); e["type"] == kind {
				found = append(found, e)
			}
		}
		if len(events) == 0 {
			return found
		}
		after, _ = out.doc["next_after"].(string)
	}
}

func TestTheFeedOfEvents(t *testing.T) {
	onBoth(t, func(b *bundle) {
		if got := b.get("/v1/events").doc; got["next_after"] != "0" || len(got["events"].([]any)) != 0 {
			// the keys of the bundle are events that nobody has numbered yet
			t.Errorf("%v", got)
		}
		b.account("a")
		id, _ := b.begin("a", "phone", "sms")
		got := b.feed("verification.started")
		if len(got) != 1 || got[0]["subject"] != id || got[0]["account"] != "a" || !strings.HasPrefix(got[0]["actor"].(string), "key:") {
			t.Errorf("%v", got)
		}
		if body := got[0]["body"].(map[string]any); body["slot"] != "phone" {
			t.Errorf("%v", body)
		}
		b.want(400, "after-invalid", request{method: "GET", path: "/v1/events?after=-1"})
		b.want(400, "after-invalid", request{method: "GET", path: "/v1/events?after=x"})
	})
}

func TestHealth(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, path := range []string{"/livez", "/readyz"} {
			b.want(200, "", request{method: "GET", path: path, header: map[string]string{"Authorization": ""}})
		}
		b.must(b.db.Close())
		b.want(503, "unavailable", request{method: "GET", path: "/readyz"})
		b.want(200, "", request{method: "GET", path: "/livez"})
	})
}

func TestMetrics(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("seller-4711")
		id, code := b.begin("seller-4711", "phone", "sms")
		b.want(422, "incorrect-code", b.check(id, other(code)))
		b.want(200, "", b.check(id, code))
		b.want(401, "unauthenticated", request{method: "GET", path: "/metrics", header: map[string]string{"Authorization": ""}})
		out := b.want(200, "", request{method: "GET", path: "/metrics", key: b.newKey(nil, auth.MetricsRead)})
		for _, line := range []string{
			`countersign_http_requests_total{route="PUT /v1/accounts/{account}",status="201"} 1`,
			`countersign_verifications_started_total{method="sms"} 1`,
			`countersign_codes_checked_total{outcome="incorrect-code"} 1`,
			`countersign_codes_checked_total{outcome="verified"} 1`,
			"countersign_deliveries_queued 3",
			"countersign_deliveries_oldest_seconds 60",
		} {
			if !strings.Contains(out.text, line+"\n") {
				t.Errorf("no line %s", line)
			}
		}
		if strings.Contains(out.text, "seller-4711") || strings.Contains(out.text, id) {
			t.Error("an id is among the metrics")
		}
		w := httptest.NewRecorder()
		b.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if w.Code != http.StatusOK {
			t.Errorf("on an address of its own: %d", w.Code)
		}
	})
}
