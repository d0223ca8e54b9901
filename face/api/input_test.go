package api_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
)

// secret is put into every bad input: no answer may repeat it.
const secret = "zq7secret"

func TestBadInputIsRefusedByFieldAndRule(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		b.want(200, "", request{method: "PUT", path: "/v1/accounts/a/contacts/phone-2", body: map[string]any{"value": "(020) 7946 0000"}})
		id, _ := b.begin("a", "email", "code")
		contact := func(slot string) string { return "/v1/accounts/a/contacts/" + slot }
		tests := map[string]struct {
			method, path string
			body         any
			status       int
			id, field    string
		}{
			"an address with CR and LF":          {"PUT", contact("email"), map[string]any{"value": secret + "@example.com\r\nBcc: x@example.com"}, 422, "email-control-character", "value"},
			"a local part of 320 characters":     {"PUT", contact("email"), map[string]any{"value": strings.Repeat("a", 320) + secret + "@example.com"}, 422, "email-local-too-long", "value"},
			"a phone that is too short":          {"PUT", contact("phone"), map[string]any{"value": "+86138"}, 422, "phone-too-short", "value"},
			"a phone that is too long":           {"PUT", contact("phone"), map[string]any{"value": "+8613800138000138001380"}, 422, "phone-too-long", "value"},
			"a phone of another country":         {"PUT", contact("phone"), map[string]any{"value": "0999 999 9999"}, 422, "phone-other-country", "value"},
			"a Chinese phone in Britain":         {"PUT", contact("phone"), map[string]any{"value": "138 0013 8000"}, 422, "phone-too-long", "value"},
			"an extension of an address":         {"PUT", contact("email"), map[string]any{"value": "a@example.com", "extension": "12"}, 422, "extension-of-an-email", "extension"},
			"an account id with @":               {"PUT", "/v1/accounts/mei@example.com", map[string]any{}, 422, "account-id-invalid", "account"},
			"an unknown account":                 {"GET", "/v1/accounts/nobody", nil, 404, "unknown-account", ""},
			"a contact of an unknown account":    {"PUT", "/v1/accounts/nobody/contacts/email", map[string]any{"value": "a@example.com"}, 404, "unknown-account", ""},
			"slot email-6":                       {"PUT", contact("email-6"), map[string]any{"value": "a@example.com"}, 422, "unknown-slot", "slot"},
			"a verification in slot email-6":     {"POST", contact("email-6") + "/verifications", map[string]any{"method": "code"}, 422, "unknown-slot", "slot"},
			"method sms on an e-mail slot":       {"POST", contact("email") + "/verifications", map[string]any{"method": "sms"}, 422, "method-not-for-slot", "method"},
			"method sms on a fixed line":         {"POST", contact("phone-2") + "/verifications", map[string]any{"method": "sms"}, 422, "no-sms-on-this-line", "method"},
			"a method that does not exist":       {"POST", contact("email") + "/verifications", map[string]any{"method": secret}, 422, "method-unknown", "method"},
			"a slot without a contact":           {"POST", contact("email-2") + "/verifications", map[string]any{"method": "code"}, 404, "unknown-contact", ""},
			"an unknown verification":            {"POST", "/v1/verifications/" + secret + "/check", map[string]any{"code": "123456"}, 404, "unknown-verification", ""},
			"a code of five digits":              {"POST", "/v1/verifications/" + id + "/check", map[string]any{"code": "12345"}, 422, "code-malformed", "code"},
			"a code that is a number":            {"POST", "/v1/verifications/" + id + "/check", map[string]any{"code": 739154}, 422, "wrong-type", "code"},
			"no code":                            {"POST", "/v1/verifications/" + id + "/check", map[string]any{}, 422, "missing-field", "code"},
			"an unknown field":                   {"POST", "/v1/verifications/" + id + "/check", map[string]any{"code": "123456", "kode": secret}, 422, "unknown-field", "kode"},
			"a field in another case":            {"POST", "/v1/verifications/" + id + "/check", `{"Code":"123456"}`, 422, "missing-field", "code"},
			"a language that is none":            {"PUT", "/v1/accounts/a", map[string]any{"locale": secret + secret}, 422, "locale-invalid", "locale"},
			"a name of two lines":                {"PUT", "/v1/accounts/a", map[string]any{"name": secret + "\n"}, 422, "name-characters", "name"},
			"a mailbox that is a list":           {"PUT", "/v1/accounts/a", map[string]any{"mailbox": []string{secret}}, 422, "wrong-type", "mailbox"},
			"a body of 2 MB":                     {"PUT", "/v1/accounts/a", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body-too-large", ""},
			"deep JSON":                          {"PUT", "/v1/accounts/a", `{"name":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}", 400, "too-deep", ""},
			"broken JSON":                        {"PUT", "/v1/accounts/a", `{"name":"` + secret, 400, "malformed-body", ""},
			"two JSON values":                    {"PUT", "/v1/accounts/a", `{"name":"x"}{}`, 400, "malformed-body", ""},
			"a list for an object":               {"PUT", "/v1/accounts/a", `["` + secret + `"]`, 400, "malformed-body", ""},
			"an empty body":                      {"PUT", "/v1/accounts/a", ``, 400, "malformed-body", ""},
			"a NUL in the path":                  {"GET", "/v1/accounts/a%00b", nil, 404, "not-found", ""},
			"a path that is none of ours":        {"GET", "/v1/accounts/a/" + secret, nil, 404, "not-found", ""},
			"a method that the path has not":     {"PATCH", "/v1/accounts/a", map[string]any{}, 405, "method-not-allowed", ""},
			"an unknown parameter":               {"GET", "/v1/accounts?" + secret + "=1", nil, 422, "unknown-parameter", secret},
			"a switch that is neither on or off": {"GET", contact("")[:len(contact(""))-1] + "?reveal=" + secret, nil, 422, "wrong-type", "reveal"},
		}
		for name, tt := range tests {
			b.sub(name, func(t *testing.T, b *bundle) {
				for _, l := range i18n.Locales() {
					out := b.want(tt.status, tt.id, request{method: tt.method, path: tt.path, body: tt.body}.with("Accept-Language", string(l)))
					if field, _ := out.doc["field"].(string); field != tt.field {
						t.Errorf("field %q, want %q", field, tt.field)
					}
					if tt.field != secret && strings.Contains(out.text, secret) {
						t.Errorf("the answer repeats the input: %s", out.text)
					}
					if got := out.header.Get("Content-Language"); got != string(l) || out.doc["detail"] == "" {
						t.Errorf("in %q: %s", got, out.text)
					}
				}
			})
		}
		// Nothing of all that was written.
		if got := b.get("/v1/accounts/a").doc; got["name"] != "Li Mei" {
			t.Errorf("%v", got)
		}
		if got := b.get("/v1/verifications/" + id).doc; got["guesses_left"] != 5.0 {
			t.Errorf("%v", got)
		}
	})
}

// sub runs a subtest with the bundle.
func (b *bundle) sub(name string, body func(t *testing.T, b *bundle)) {
	b.TB.(*testing.T).Run(name, func(t *testing.T) {
		c := *b
		c.TB, c.ctx = t, t.Context()
		body(t, &c)
	})
}

func TestAProblemSaysWhatWouldBeRight(t *testing.T) {
	onBoth(t, func(b *bundle) {
		check := request{method: "POST", path: "/v1/verifications/x/check", body: map[string]any{"code": "1", "a": 1, "b": 2}}
		out := b.want(422, "unknown-field", check)
		if d := cmp.Diff([]any{"code"}, out.doc["allowed"]); d != "" || out.doc["field"] != "a" {
			t.Error(out.text)
		}
		check.body = map[string]any{"code": 1}
		out = b.want(422, "wrong-type", check)
		if !strings.Contains(out.doc["detail"].(string), `string, for example "482 915"`) {
			t.Error(out.text)
		}
		out = b.want(422, "unknown-parameter", request{method: "GET", path: "/v1/events?since=1"})
		if d := cmp.Diff([]any{"after", "page_size"}, out.doc["allowed"]); d != "" {
			t.Error(out.text)
		}
	})
}

func TestADefectShowsNothingFromInside(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		b.must(b.db.Close())
		out := b.do(request{method: "GET", path: "/v1/accounts/a"})
		if out.status < 500 || out.id() != "internal" && out.id() != "unavailable" || out.doc["request_id"] == nil {
			t.Error(out.text)
		}
		for _, word := range []string{"sql", "pool", "closed", "database"} {
			if strings.Contains(strings.ToLower(out.text), word) {
				t.Errorf("%s: %s", word, out.text)
			}
		}
	})
}

func TestOnlyKeysWithTheScopeGetIn(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		soon := b.clock.Now().Add(time.Hour)
		expiring, revoked := b.newKey(&soon, auth.All), b.newKey(nil, auth.All)
		get := request{method: "GET", path: "/v1/accounts/a"}
		get.key = expiring
		b.want(200, "", get)
		b.clock.Advance(time.Hour)
		out := b.want(401, "key-expired", get)
		if got := out.header.Get("WWW-Authenticate"); got != `Bearer realm="countersign", error="invalid_token"` {
			t.Error(got)
		}
		get.key = revoked[:len(revoked)-1] + "a"
		if get.key == revoked {
			get.key = revoked[:len(revoked)-1] + "b"
		}
		b.want(401, "unauthenticated", get)
		out = b.want(401, "unauthenticated", get.with("Authorization", ""))
		if got := out.header.Get("WWW-Authenticate"); got != `Bearer realm="countersign"` {
			t.Error(got)
		}
		b.want(401, "unauthenticated", get.with("Authorization", "Basic "+b.key))

		get.key = b.newKey(nil, auth.AccountsWrite, auth.ContactsRead)
		out = b.want(403, "wrong-scope", get)
		if out.doc["scope"] != "accounts:read" || !strings.Contains(out.doc["detail"].(string), "accounts:read") ||
			!strings.Contains(out.header.Get("WWW-Authenticate"), `scope="accounts:read"`) {
			t.Error(out.text, out.header)
		}
		// Who may not in learns nothing about the input.
		b.want(401, "unauthenticated", request{method: "PUT", path: "/v1/accounts/a@b", body: "{", header: map[string]string{"Authorization": ""}})
	})
}

func TestEveryOperationNeedsItsScope(t *testing.T) {
	onBoth(t, func(b *bundle) {
		none := b.newKey(nil, auth.Outbox)
		for path, item := range b.doc.Paths {
			for method, op := range map[string]any{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "DELETE": item.Delete} {
				if o := b.operation(method, path); op == nil || o == nil || len(o.Security) == 0 {
					continue
				}
				path := strings.NewReplacer("{account}", "a", "{slot}", "email", "{id}", "x").Replace(path)
				b.want(403, "wrong-scope", request{method: method, path: path, key: none})
				b.want(401, "unauthenticated", request{method: method, path: path, header: map[string]string{"Authorization": ""}})
			}
		}
	})
}

func TestAnotherContentTypeIsNotRead(t *testing.T) {
	onBoth(t, func(b *bundle) {
		put := request{method: "PUT", path: "/v1/accounts/a", body: "name=Mei"}
		b.want(400, "malformed-body", put.with("Content-Type", "application/x-www-form-urlencoded"))
		put.body = map[string]any{"name": "Mei"}
		b.want(201, "", put.with("Content-Type", "application/json; charset=utf-8"))
		b.want(200, "", put.with("Content-Type", "application/merge-patch+json"))
		b.want(200, "", put.with("Accept", "text/html"))
	})
}

// long are runs of digits and ids that may hold any six digits by chance: they are drawn without a look at the code.
var long = regexp.MustCompile(`\d{7,}|[0-9a-hjkmnp-tv-z]{26}|\d[\d.e+]{9,}`)

// A walk over every operation: no answer and no header holds a code that lives.
func TestNoAnswerHoldsACode(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		var live []string
		for slot, method := range map[string]string{"email": "code", "phone": "sms"} {
			start := request{method: "POST", path: "/v1/accounts/a/contacts/" + slot + "/verifications", body: map[string]any{"method": method}}
			start = start.with("Idempotency-Key", "start-"+slot)
			id := b.want(201, "", start).doc["id"].(string)
			live = append(live, b.code())
			b.want(201, "", start)
			b.clock.Advance(31 * time.Second)
			resend := request{method: "POST", path: "/v1/verifications/" + id + "/resend"}.with("Idempotency-Key", "resend-"+slot)
			b.want(200, "", resend)
			live = append(live, b.code())
			b.want(200, "", resend)
			b.want(429, "resend-too-soon", request{method: "POST", path: "/v1/verifications/" + id + "/resend"})
			wrong := "000000"
			for _, code := range live {
				if code == wrong {
					wrong = other(code)
				}
			}
			b.want(422, "incorrect-code", b.check(id, wrong))
			b.get("/v1/verifications/" + id)
		}
		b.want(201, "", request{method: "POST", path: "/v1/accounts/a/contacts/phone/deferrals", body: map[string]any{
			"until": "2026-03-08T09:30:00Z", "reason": "later",
		}})
		b.get("/v1/accounts/a")
		b.get("/v1/accounts")
		b.get("/v1/accounts?slot_state=phone:unverified")
		b.get("/v1/accounts/a/contacts")
		b.get("/v1/accounts/a/contacts?reveal=true")
		b.feed("")
		for _, path := range []string{"/livez", "/readyz", "/metrics", "/v1/openapi.json", "/v1/docs"} {
			b.get(path)
		}
		if len(live) != 4 {
			t.Fatalf("%d codes", len(live))
		}
		seen := long.ReplaceAllString(b.seen.String(), "")
		for _, code := range live {
			if strings.Contains(seen, code) || strings.Contains(seen, code[:3]+" "+code[3:]) {
				t.Error("an answer holds a live code")
			}
		}
		if !strings.Contains(seen, "guesses_left") || !strings.Contains(seen, "contact.deferred") {
			t.Error("the walk saw nothing")
		}
	})
}
