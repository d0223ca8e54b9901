package api_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/face/api"
)

const shop = "https://www.example.com/settings"

// session asks for a session of the portal; names and values in turn go into the body.
func session(account string, members ...any) request {
	body := map[string]any{"account": account, "return_url": shop}
	for i := 0; i < len(members); i += 2 {
		body[members[i].(string)] = members[i+1]
	}
	return request{method: "POST", path: "/v1/portal-sessions", body: body}
}

// tokenOf is the secret in a session's URL.
func (r reply) tokenOf(t *testing.T) string {
	t.Helper()
	url, _ := r.doc["url"].(string)
	token, ours := strings.CutPrefix(url, publicURL+"/start/")
	if !ours || len(token) != 52 {
		t.Fatalf("the URL is %q", url)
	}
	return token
}

func TestASessionOfThePortalIsOpened(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("seller-4711")
		t := b.TB.(*testing.T)
		out := b.want(201, "", session("seller-4711", "locale", "zh-CN", "flow", "verify-phone", "actor", "user-12",
			"authenticated_at", "2026-03-03T17:28:00+08:00", "may", []string{"verify", "view"}))
		if len(out.doc) != 2 || out.doc["expires_at"] != "2026-03-03T09:35:00Z" {
			t.Errorf("%v", out.doc)
		}
		se, err := b.sessions.Redeem(b.ctx, out.tokenOf(t), rand.Text())
		b.must(err)
		want := auth.Session{
			ID: se.ID, Account: "seller-4711", Locale: "zh-CN", Flow: "verify-phone", Holder: "user-12", ReturnURL: shop,
			May:             []auth.Right{auth.View, auth.Verify},
			AuthenticatedAt: b.clock.Now().Add(-2 * time.Minute), FreshUntil: b.clock.Now().Add(13 * time.Minute),
			CreatedAt: b.clock.Now(), SeenAt: b.clock.Now(), EndsAt: b.clock.Now().Add(8 * time.Hour),
		}
		if d := cmp.Diff(want, se); d != "" {
			t.Error(d)
		}
		if got := b.feed("session.opened"); len(got) != 1 || got[0]["subject"] != se.ID || !strings.HasPrefix(got[0]["actor"].(string), "key:") {
			t.Errorf("%v", got)
		}
	})
}

func TestBadSessionsAreRefusedByFieldAndRule(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		for name, tt := range map[string]struct {
			r         request
			status    int
			id, field string
		}{
			"an unknown account":          {session("nobody"), 404, "unknown-account", ""},
			"a NUL in the account":        {session("a\x00"), 404, "unknown-account", ""},
			"a number for the account":    {session("", "account", 1), 422, "wrong-type", "account"},
			"an address not listed":       {session("a", "return_url", "https://www.example.com@"+secret+".example/settings"), 422, "return-url-not-listed", "return_url"},
			"a flow that there is not":    {session("a", "flow", secret), 422, "flow-unknown", "flow"},
			"a language that is none":     {session("a", "locale", secret+secret), 422, "locale-invalid", "locale"},
			"an address for an actor":     {session("a", "actor", secret+"@example.com"), 422, "actor-invalid", "actor"},
			"a time that was never set":   {session("a", "authenticated_at", "0001-01-01T00:00:00Z"), 422, "authenticated-not-set", "authenticated_at"},
			"tomorrow":                    {session("a", "authenticated_at", "2026-03-04T09:30:00Z"), 422, "authenticated-in-future", "authenticated_at"},
			"no time":                     {session("a", "authenticated_at", secret), 422, "wrong-type", "authenticated_at"},
			"a right that there is not":   {session("a", "may", []string{"view", secret}), 422, "right-unknown", "may"},
			"no right":                    {session("a", "may", []string{}), 422, "right-unknown", "may"},
			"a text for the rights":       {session("a", "may", "view"), 422, "wrong-type", "may"},
			"a field that there is not":   {session("a", "return_to", shop), 422, "unknown-field", "return_to"},
			"no account":                  {request{method: "POST", path: "/v1/portal-sessions", body: map[string]any{"return_url": shop}}, 422, "missing-field", "account"},
			"no address for the way back": {request{method: "POST", path: "/v1/portal-sessions", body: map[string]any{"account": "a"}}, 422, "missing-field", "return_url"},
		} {
			out := b.want(tt.status, tt.id, tt.r)
			if field, _ := out.doc["field"].(string); field != tt.field || strings.Contains(out.text, secret) {
				b.Errorf("%s: %s", name, out.text)
			}
		}
		if got := b.feed("session.opened"); len(got) != 0 {
			b.Errorf("%d sessions were opened", len(got))
		}
	})
}

// Without a list nothing can be opened: the way back is never left to who calls.
func TestAnEmptyListOpensNoSession(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		o := b.options
		o.Sessions = auth.NewSessions(auth.SessionsOptions{DB: b.db, Keys: o.Keys})
		b.serveInstead(api.New(o))
		b.want(422, "return-url-not-listed", session("a"))
	})
}

func TestASessionIsOpenedOnceForAKey(t *testing.T) {
	onBoth(t, func(b *bundle) {
		t := b.TB.(*testing.T)
		b.account("a")
		open := session("a").idempotent("k1")
		first := b.fresh(201, "", open)
		b.clock.Advance(5*time.Minute - time.Second)
		again := b.replayed(201, "", open)
		if first.doc["url"] != again.doc["url"] || first.doc["expires_at"] != again.doc["expires_at"] {
			t.Errorf("%v, then %v", first.doc, again.doc)
		}
		b.fresh(422, "idempotency-mismatch", session("a", "flow", "settings").idempotent("k1"))
		other := b.fresh(201, "", session("a").idempotent("k2"))
		if other.doc["url"] == first.doc["url"] {
			t.Error("one URL for two keys")
		}
		if _, err := b.sessions.Redeem(b.ctx, first.tokenOf(t), rand.Text()); err != nil {
			t.Error(err)
		}
		b.replayed(410, "portal-url-used", open)
		b.clock.Advance(5 * time.Minute)
		b.replayed(410, "portal-url-expired", session("a").idempotent("k2"))
		if got := b.feed("session.opened"); len(got) != 2 {
			t.Errorf("%d sessions were opened", len(got))
		}
		b.want(204, "", request{method: "DELETE", path: "/v1/accounts/a"})
		b.replayed(410, "idempotency-gone", open)
	})
}

func TestTheSessionsOfAnAccountAreEnded(t *testing.T) {
	onBoth(t, func(b *bundle) {
		t := b.TB.(*testing.T)
		b.account("a")
		mine := rand.Text()
		se, err := b.sessions.Redeem(b.ctx, b.want(201, "", session("a")).tokenOf(t), mine)
		b.must(err)
		waiting := b.want(201, "", session("a")).tokenOf(t)
		end := request{method: "DELETE", path: "/v1/accounts/a/portal-sessions"}
		for range 2 {
			if out := b.want(204, "", end); out.text != "" {
				t.Error(out.text)
			}
		}
		if _, err := b.sessions.Enter(b.ctx, se.ID, mine); !fault.Is(err, "session-ended") {
			t.Error(err)
		}
		if _, err := b.sessions.Redeem(b.ctx, waiting, rand.Text()); !fault.Is(err, "portal-url-expired") {
			t.Error(err)
		}
		if got := b.feed("session.ended"); len(got) != 2 {
			t.Errorf("%d were ended", len(got))
		}
		end.path = "/v1/accounts/nobody/portal-sessions"
		b.want(404, "unknown-account", end)
	})
}

func TestSessionsNeedAScopeOfTheirOwn(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		all := b.newKey(nil, auth.AccountsWrite, auth.ContactsWrite, auth.ContactsReveal, auth.VerificationsWrite, auth.EventsRead, auth.Outbox)
		end := request{method: http.MethodDelete, path: "/v1/accounts/a/portal-sessions"}
		for _, r := range []request{session("a"), end} {
			r.key = all
			if out := b.want(403, "wrong-scope", r); out.doc["scope"] != "portal:write" {
				b.Errorf("%v", out.doc)
			}
		}
		portal := b.newKey(nil, auth.PortalWrite)
		for status, r := range map[int]request{201: session("a"), 204: end} {
			r.key = portal
			b.want(status, "", r)
		}
		b.want(403, "wrong-scope", request{method: "GET", path: "/v1/accounts/a", key: portal})
	})
}
