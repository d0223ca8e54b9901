package portal_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
)

// Whoever has no session here, or one that does not allow it, reaches no page of a session: each route of the table is tried.
func TestEveryPageOfASessionIsClosedToOthers(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.account("b", i18n.En)
		other, _ := b.enter(auth.SessionInput{Account: "b"})
		mine, home := b.enter(auth.SessionInput{Account: "a"})
		ended, over := b.enter(auth.SessionInput{Account: "a"})
		ended.post(over+"/sign-out", nil)
		rights := map[auth.Right]auth.Right{auth.View: auth.Verify, auth.Verify: auth.View, auth.Change: auth.View} // another one than that
		for _, r := range b.portal.Routes() {
			method, path, _ := strings.Cut(r.Pattern, " ")
			in := func(home string) string {
				return strings.NewReplacer("/s/{session}", home, "{slot}", "email", "{id}", store.NewID(b.clock.Now())).Replace(path)
			}
			if !r.Session {
				continue
			}
			b.browser().do(method, in(home), body(method)).want(http.StatusUnauthorized)
			other.do(method, in(home), body(method)).want(http.StatusUnauthorized)
			mine.do(method, in("/s/"+store.NewID(b.clock.Now())), body(method)).want(http.StatusUnauthorized)
			ended.do(method, in(over), body(method)).want(http.StatusUnauthorized).links(returnURL)
			if r.Right != "" {
				session, start := b.open(auth.SessionInput{Account: "a", May: []auth.Right{rights[r.Right]}})
				br := b.browser()
				br.get(start).want(http.StatusOK)
				br.post(start, nil)
				br.do(method, in("/s/"+session), body(method)).want(http.StatusForbidden).links(returnURL)
			}
		}
	})
}

func body(method string) io.Reader {
	if method == http.MethodPost {
		return strings.NewReader("")
	}
	return nil
}

func TestEveryPageIsReadOrDoneAndNothingElse(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, r := range b.portal.Routes() {
			method, path, found := strings.Cut(r.Pattern, " ")
			if !found || method != http.MethodGet && method != http.MethodPost {
				t.Errorf("%s takes another method", r.Pattern)
			}
			if inSession := strings.HasPrefix(path, "/s/{session}"); inSession != r.Session {
				t.Errorf("%s: the path and the table disagree about the session", r.Pattern)
			}
		}
	})
}
