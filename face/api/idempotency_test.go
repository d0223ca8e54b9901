package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/store"
	"countersign.dev/face/api"
)

func (r request) idempotent(key string) request { return r.with("Idempotency-Key", key) }

// replayed sends a request again that must be answered as it was.
func (b *bundle) replayed(status int, id string, r request) reply {
	b.Helper()
	out := b.want(status, id, r)
	if got := out.header.Get("Idempotency-Replayed"); got != "true" {
		b.Fatalf("%s %s was done again: %s", r.method, r.path, out.text)
	}
	return out
}

func (b *bundle) fresh(status int, id string, r request) reply {
	b.Helper()
	out := b.want(status, id, r)
	if got := out.header.Get("Idempotency-Replayed"); got != "" {
		b.Fatalf("%s %s was not done: %s", r.method, r.path, out.text)
	}
	return out
}

func TestAPostWithAKeyIsDoneOnce(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		start := request{method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "sms"}}
		first := b.fresh(201, "", start.idempotent("k1"))
		id := first.doc["id"].(string)
		code := b.code()
		again := b.replayed(201, "", start.idempotent("k1"))
		if again.doc["id"] != id || again.doc["state"] != "pending" {
			t.Errorf("%v", again.doc)
		}
		if n := len(b.box.Messages()); n != 1 {
			t.Errorf("%d messages", n)
		}

		wrong := b.check(id, other(code)).idempotent("k2")
		if got := b.fresh(422, "incorrect-code", wrong).doc["guesses_left"]; got != 4.0 {
			t.Errorf("%v guesses left", got)
		}
		b.fresh(422, "incorrect-code", b.check(id, other(code)))
		if got := b.replayed(422, "incorrect-code", wrong).doc; got["guesses_left"] != 3.0 || got["field"] != "code" {
			t.Errorf("%v: the guesses that are left now are 3", got)
		}

		b.clock.Advance(31 * time.Second)
		resend := request{method: "POST", path: "/v1/verifications/" + id + "/resend"}.idempotent("k3")
		b.fresh(200, "", resend)
		code = b.code()
		b.replayed(200, "", resend)

		right := b.check(id, code).idempotent("k4")
		b.fresh(200, "", right)
		if got := b.replayed(200, "", right).doc; got["state"] != "verified" {
			t.Errorf("%v", got)
		}
		if got := b.replayed(201, "", start.idempotent("k1")).doc; got["state"] != "verified" {
			t.Errorf("the start is answered with what stands by now: %v", got)
		}

		later := request{method: "POST", path: "/v1/accounts/a/contacts/email/deferrals", body: map[string]any{
			"until": "2026-03-08T09:30:00+01:00", "reason": "waiting",
		}}.idempotent("k5")
		made := b.fresh(201, "", later)
		same := b.replayed(201, "", later)
		for _, name := range []string{"id", "slot", "until", "days_left", "times_left"} {
			if made.doc[name] != same.doc[name] {
				t.Errorf("%s was %v and is %v", name, made.doc[name], same.doc[name])
			}
		}
		if got := b.feed("contact.deferred"); len(got) != 1 {
			t.Errorf("%d deferrals", len(got))
		}

		b.want(204, "", request{method: "DELETE", path: "/v1/accounts/a"})
		for _, r := range []request{start.idempotent("k1"), wrong, right, later} {
			b.replayed(410, "idempotency-gone", r)
		}
	})
}

func TestAKeyBelongsToOneRequest(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		start := request{method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "sms"}}
		b.fresh(201, "", start.idempotent("k"))
		b.code()
		another := start
		another.body = `{"method": "sms"}` // other bytes
		out := b.fresh(422, "idempotency-mismatch", another.idempotent("k"))
		if out.doc["field"] != "Idempotency-Key" {
			t.Errorf("%v", out.doc)
		}
		another = start
		another.path = "/v1/accounts/a/contacts/email/verifications"
		b.fresh(422, "idempotency-mismatch", another.idempotent("k"))
		another.body = map[string]any{"method": "code"}
		another.key = b.newKey(nil, auth.All)
		b.fresh(201, "", another.idempotent("k")) // of another API key
		b.code()
	})
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		start := request{method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "sms"}}
		b.fresh(201, "", start.idempotent("k"))
		b.fresh(201, "", request{
			method: "POST", path: "/v1/accounts/a/contacts/email/verifications", body: map[string]any{"method": "code"},
		}.idempotent("k-email"))
		b.clock.Advance(24*time.Hour - time.Second)
		b.replayed(201, "", start.idempotent("k"))
		b.clock.Advance(time.Second)
		b.fresh(201, "", start.idempotent("k")) // the old row is still there
		b.replayed(201, "", start.idempotent("k"))
		for _, want := range []int{1, 0} {
			if n, err := api.SweepIdempotency(b.ctx, b.db, 10); err != nil || n != want {
				t.Errorf("%d swept, want %d: %v", n, want, err)
			}
		}
		b.replayed(201, "", start.idempotent("k"))
	})
}

func TestWhatWasRefusedRunsAfresh(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		start := request{method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "sms"}}
		b.fresh(201, "", start)
		b.fresh(429, "resend-too-soon", start.idempotent("k"))
		b.clock.Advance(31 * time.Second)
		id := b.fresh(201, "", start.idempotent("k")).doc["id"].(string)
		b.fresh(422, "code-malformed", b.check(id, "12").idempotent("k2"))
		b.clock.Advance(time.Hour)
		b.fresh(410, "expired", b.check(id, "123456").idempotent("k3"))
		b.fresh(410, "expired", b.check(id, "123456").idempotent("k3"))
		b.fresh(403, "wrong-scope", request{
			method: "POST", path: start.path, body: start.body, key: b.newKey(nil, auth.AccountsRead),
		}.idempotent("k4"))
	})
}

func TestAKeyUnderWayIsInProgress(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		secret, id := b.newKeyID(nil, auth.All)
		start := request{
			method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "sms"}, key: secret,
		}.idempotent("k")
		release := b.server.Run(id, "k")
		b.fresh(409, "in-progress", start)
		release()
		b.fresh(201, "", start)
	})
}

func TestTheFormOfAnIdempotencyKey(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		start := request{method: "POST", path: "/v1/accounts/a/contacts/phone/verifications", body: map[string]any{"method": "sms"}}
		b.fresh(400, "idempotency-key-too-long", start.idempotent(strings.Repeat("k", 256)))
		b.fresh(400, "idempotency-key-characters", start.idempotent("schlüssel"))
		// net/http's client sends no empty header of this name that a map's "" stands for, so it goes in by hand.
		req := b.http(start)
		req.Header["Idempotency-Key"] = []string{""}
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, req)
		if w.Code != http.StatusBadRequest {
			t.Errorf("an empty key: %d", w.Code)
		}
		b.fresh(201, "", start.idempotent(strings.Repeat("~", 255)))
	})
}

// Two nodes that share a database do not see each other's requests under way: the one that commits first is the one that was done.
func TestTwinsOnTwoNodes(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		node := b.anotherNode()
		id, code := b.begin("a", "phone", "sms")
		for _, guess := range []string{other(code), code} {
			r := b.check(id, guess).idempotent("k" + guess)
			replies := make([]*httptest.ResponseRecorder, 2)
			var wg sync.WaitGroup
			for i, h := range []http.Handler{b.handler, node} {
				req := b.http(r)
				wg.Go(func() {
					replies[i] = httptest.NewRecorder()
					h.ServeHTTP(replies[i], req)
				})
			}
			wg.Wait()
			if replies[0].Code != replies[1].Code {
				t.Errorf("%d and %d: %s%s", replies[0].Code, replies[1].Code, replies[0].Body, replies[1].Body)
			}
			again := 0
			for _, w := range replies {
				if w.Header().Get("Idempotency-Replayed") != "" {
					again++
				}
			}
			if again != 1 {
				t.Errorf("%d of two were replayed: %s%s", again, replies[0].Body, replies[1].Body)
			}
		}
	})
}

// The statements and commits that a key costs: two more statements; one more commit for a wrong guess, which otherwise has none to
// join.
func TestWhatAKeyCosts(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		cost := func(r request, key string) (statements, commits int64) {
			b.Helper()
			b.get("/v1/accounts/a") // the API key is remembered
			if key != "" {
				r = r.idempotent(key)
			}
			ctx, count := store.WithCount(context.Background())
			w := httptest.NewRecorder()
			b.handler.ServeHTTP(w, b.http(r).WithContext(ctx))
			if w.Code >= 300 && w.Code != 422 {
				b.Fatalf("%s: %d %s", r.path, w.Code, w.Body)
			}
			b.settled()
			return count.Statements.Load(), count.Commits.Load()
		}
		more := func(name string, statements, commits int64, plain, keyed request) {
			b.Helper()
			s0, c0 := cost(plain, "")
			b.clock.Advance(5 * time.Minute)
			s1, c1 := cost(keyed, "key for "+name)
			if s1-s0 != statements || c1-c0 != commits {
				b.Errorf("%s: %d statements and %d commits, with a key %d and %d", name, s0, c0, s1, c1)
			}
			b.clock.Advance(5 * time.Minute)
		}
		start := func(id string) request {
			return request{method: "POST", path: "/v1/accounts/" + id + "/contacts/phone/verifications", body: map[string]any{"method": "sms"}}
		}
		b.account("b")
		more("start", 2, 0, start("a"), start("b"))

		one, code := b.beginAgain("a")
		resend := request{method: "POST", path: "/v1/verifications/" + one + "/resend"}
		b.clock.Advance(5 * time.Minute)
		more("resend", 2, 0, resend, resend)
		more("wrong guess", 2, 1, b.check(one, other(code)), b.check(one, other(code)))

		b.account("c")
		b.account("d")
		left, leftCode := b.beginAgain("c")
		right, rightCode := b.beginAgain("d")
		more("right guess", 2, 0, b.check(left, leftCode), b.check(right, rightCode))

		until := func(date string) request {
			return request{method: "POST", path: "/v1/accounts/a/contacts/email/deferrals", body: map[string]any{"until": date, "reason": "later"}}
		}
		more("deferral", 2, 0, until("2026-03-05T09:30:00Z"), until("2026-03-06T09:30:00Z"))
		more("portal session", 2, 0, session("a"), session("a", "flow", "settings"))
	})
}
