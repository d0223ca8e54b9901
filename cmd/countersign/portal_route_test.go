package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/store"
)

// caller is somebody who should not get in: what they send along with a request.
type caller struct {
	name   string
	header []string
	path   func(pattern string) string // where they go for a route
}

// Each route of the program, asked for by everybody who may not, answers as its kind does. The routes are those of the router: one
// that stands in no table fails.
func TestEveryRouteAgainstEveryWrongCaller(t *testing.T) {
	p := newPlatform(t, store.SQLite)
	m := newMatrix(p)
	routes := p.main.mux.Patterns()
	if len(routes) < 40 {
		t.Fatalf("the router has only %d routes", len(routes))
	}
	before := m.kept()
	for _, pattern := range routes {
		for _, c := range m.callers(pattern) {
			if got, want := m.ask(pattern, c), m.expected(pattern, c.name); !slices.Contains(want, got.status) {
				t.Errorf("%s, %s: got %d, want %d: %s", pattern, c.name, got.status, want, got.raw[:min(len(got.raw), 300)])
			}
		}
	}
	for table, rows := range m.kept() {
		if got, want := plain(rows), plain(before[table]); string(got) != string(want) {
			t.Errorf("somebody who may not changed %s from\n%s\nto\n%s", table, want, got)
		}
	}
	m.rightCallersGetIn(routes)
}

// matrix has what the columns need: two accounts with sessions of each kind, and keys.
type matrix struct {
	*platform
	api          map[string]auth.Scope // by pattern
	portal       map[string]portalRoute
	own, other   visit
	idle, ended  visit
	without      map[auth.Right]visit // a session with all rights but this one
	stale        visit                // signed in too long ago
	keyOf        map[auth.Scope]string
	verification string
}

type portalRoute struct {
	session bool
	right   auth.Right
}

func newMatrix(p *platform) *matrix {
	m := &matrix{platform: p, api: map[string]auth.Scope{}, portal: map[string]portalRoute{}, without: map[auth.Right]visit{}, keyOf: map[auth.Scope]string{}}
	for _, r := range p.main.api.Routes() {
		m.api[r.Pattern] = r.Scope
	}
	for _, r := range p.main.portal.Routes() {
		m.portal[r.Pattern] = portalRoute{r.Session, r.Right}
	}
	p.put("mine", object{"name": "Mine"}, map[string]string{"email": "mine@example.com"})
	p.put("other", object{"name": "Other"}, map[string]string{"email": "other@example.com"})
	m.verification = p.start("mine", "email")
	m.idle = p.visit("mine", nil)
	p.clock.Advance(31 * time.Minute)
	m.ended = p.visit("mine", nil)
	p.must(http.StatusNoContent, http.MethodDelete, accountPath("mine")+"/portal-sessions", nil)
	m.own, m.other = p.visit("mine", nil), p.visit("other", nil)
	for right, may := range map[auth.Right][]auth.Right{auth.View: {auth.Verify, auth.Change}, auth.Verify: {auth.View, auth.Change}, auth.Change: {auth.View, auth.Verify}} {
		m.without[right] = p.visit("mine", object{"may": may})
	}
	m.stale = p.visit("mine", object{"authenticated_at": p.clock.Now().Add(-16 * time.Minute)})
	for _, scope := range []auth.Scope{auth.EventsRead, auth.AccountsRead} {
		out, errs, code := command(p.Context(), p.main.Settings, "key", "create", "--name", "narrow", "--scope", string(scope))
		if code != exitDone {
			p.Fatal(errs)
		}
		m.keyOf[scope] = strings.TrimSpace(out)
	}
	p.message("mine@example.com", 1)
	p.eventually("an end of what goes on in the background", func() bool { return countOf(p.events("mine"), "delivery.accepted") == 1 })
	return m
}

// kept are the tables that nobody of the callers may change.
func (m *matrix) kept() map[string][]row {
	m.Helper()
	all := tables(m, m.main.Settings)
	maps.DeleteFunc(all, func(name string, _ []row) bool {
		return !slices.Contains([]string{"account", "contact", "contact_change", "deferral", "verification", "verification_slot", "api_key", "dispute", "notice"}, name)
	})
	return all
}

// at is a route with the session of a visit in its path, and everything else that it names belonging to the account "mine".
func (m *matrix) at(v visit) func(pattern string) string {
	return func(pattern string) string {
		_, path, _ := strings.Cut(pattern, " ")
		return strings.NewReplacer("{session}", v.id, "{account}", "mine", "{slot}", "email", "{id}", m.verification,
			"{token}", strings.Repeat("0", 52), "{file}", "ui.css", "{key}", "x", "{$}", "", "{path...}", "x").Replace(path)
	}
}

// callers are the columns of the matrix.
func (m *matrix) callers(pattern string) []caller {
	secret := m.other.cookie[strings.IndexByte(m.other.cookie, '=')+1:]
	narrow := m.keyOf[auth.EventsRead]
	if m.api[pattern] == auth.EventsRead {
		narrow = m.keyOf[auth.AccountsRead]
	}
	all := []caller{
		{"no session", nil, m.at(m.own)},
		{"another account's session", []string{"Cookie", m.other.cookie}, m.at(m.own)},
		{"another account's secret under this session's name", []string{"Cookie", m.own.cookie[:strings.IndexByte(m.own.cookie, '=')+1] + secret}, m.at(m.own)},
		{"an idle session", []string{"Cookie", m.idle.cookie}, m.at(m.idle)},
		{"an ended session", []string{"Cookie", m.ended.cookie}, m.at(m.ended)},
		{"a key without the scope", []string{"Authorization", "Bearer " + narrow}, m.at(m.own)},
		{"no key at all", []string{"Authorization", "Bearer cs_" + strings.Repeat("a", 32)}, m.at(m.own)},
		{withoutRight, m.cookieWithout(m.portal[pattern].right), m.at(m.own)},
	}
	if v, known := m.without[m.portal[pattern].right]; known {
		all[len(all)-1].path = m.at(v)
	}
	if m.portal[pattern].right == auth.Change {
		all = append(all, caller{withoutRight + ", signed in too long ago", []string{"Cookie", m.stale.cookie}, m.at(m.stale)})
	}
	if _, ofPortal := m.portal[pattern]; ofPortal && strings.HasPrefix(pattern, "POST ") {
		all = append(all, caller{elsewhere, []string{"Cookie", m.own.cookie, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}, m.at(m.own)})
	}
	return all
}

const (
	withoutRight = "a session without the right"
	elsewhere    = "the right session, by a form on another site"
)

func (m *matrix) cookieWithout(r auth.Right) []string {
	if r == "" {
		r = auth.View
	}
	return []string{"Cookie", m.without[r].cookie}
}

// expected are the statuses that a caller may get. What needs neither a key nor a session answers everybody alike.
func (m *matrix) expected(pattern, who string) []int {
	m.Helper()
	scope, ofAPI := m.api[pattern]
	route, ofPortal := m.portal[pattern]
	switch {
	case who == elsewhere:
		return []int{http.StatusForbidden}
	case ofAPI && scope != "" && who == "a key without the scope":
		return []int{http.StatusForbidden}
	case ofAPI && scope != "":
		return []int{http.StatusUnauthorized}
	case ofPortal && route.session && route.right != "" && strings.HasPrefix(who, withoutRight):
		return []int{http.StatusForbidden}
	case ofPortal && route.session && route.right == "" && strings.HasPrefix(who, withoutRight): // asks for somebody else's session here
		return []int{http.StatusUnauthorized}
	case ofPortal && route.session:
		return []int{http.StatusUnauthorized}
	}
	open, known := openRoutes[pattern]
	if !known && !ofAPI {
		m.Errorf("the route %s stands in no table", pattern)
	}
	if guarded[pattern] && who == "a key without the scope" {
		return []int{http.StatusForbidden}
	}
	if !known {
		return []int{http.StatusOK, http.StatusServiceUnavailable} // of the API, for everybody
	}
	return []int{open}
}

// openRoutes are the routes that need no session and no key of the API, with what they answer to somebody who has no token for them.
var openRoutes = map[string]int{
	"GET /start/{token}":  http.StatusNotFound,
	"POST /start/{token}": http.StatusNotFound,
	"GET /link/{token}":   http.StatusNotFound,
	"POST /link/{token}":  http.StatusNotFound,
	"GET /dispute":        http.StatusOK,
	"POST /dispute":       http.StatusUnprocessableEntity,
	"GET /assets/{file}":  http.StatusNotFound, // ui.css is not its hashed name
	"GET /v1/docs/{file}": http.StatusNotFound,
	"GET /styleguide":     http.StatusOK,
	"GET /outbox":         http.StatusUnauthorized,
	"GET /outbox.json":    http.StatusUnauthorized,
	"GET /outbox/open":    http.StatusUnauthorized,
}

// guarded are those that take a key with the scope outbox too.
var guarded = map[string]bool{"GET /outbox": true, "GET /outbox.json": true}

// ask sends what a program or a page would send.
func (m *matrix) ask(pattern string, c caller) reply {
	m.Helper()
	method, _, _ := strings.Cut(pattern, " ")
	if _, ofAPI := m.api[pattern]; ofAPI {
		anonymous := []string{"Authorization", "", "Idempotency-Key", ""}
		return m.call(method, c.path(pattern), object{}, append(anonymous, c.header...)...)
	}
	return visit{p: m.platform}.do(method, c.path(pattern), url.Values{"code": {"123456"}, "method": {"code"}}, c.header...)
}

// rightCallersGetIn proves that the refusals above are about who asks: a key with every scope, and a session with every right, are
// neither unknown nor forbidden.
func (m *matrix) rightCallersGetIn(routes []string) {
	m.Helper()
	for _, pattern := range routes {
		c := caller{name: "who may", header: []string{"Authorization", "Bearer " + m.key}}
		v := m.own
		if m.portal[pattern].session {
			v = m.platform.visit("mine", nil)
			c.header = []string{"Cookie", v.cookie}
		}
		c.path = m.at(v)
		if strings.HasPrefix(pattern, "DELETE ") { // what it is about would be gone for the next
			c.path = func(pattern string) string { return strings.Replace(m.at(v)(pattern), "mine", "nobody", 1) }
		}
		if got := m.ask(pattern, c); got.status == http.StatusUnauthorized && pattern != "GET /outbox/open" || got.status == http.StatusForbidden || got.status >= 500 {
			m.Errorf("%s, by who may: got %d: %s", pattern, got.status, got.raw[:min(len(got.raw), 300)])
		}
	}
}

// What belongs to another account is not found in one's own session.
func TestAnotherAccountsVerificationIsNotFound(t *testing.T) {
	p := newPlatform(t, store.SQLite)
	p.put("mine", object{"name": "Mine"}, map[string]string{"email": "mine@example.com"})
	p.put("other", object{"name": "Other"}, map[string]string{"email": "other@example.com"})
	theirs := p.start("other", "email")
	code := sixDigits.FindString(p.message("other@example.com", 1).Text)
	v := p.visit("mine", nil)
	for _, r := range []reply{
		v.do(http.MethodGet, fmt.Sprintf("/s/%s/verifications/%s", v.id, theirs), nil),
		v.do(http.MethodPost, fmt.Sprintf("/s/%s/verifications/%s/check", v.id, theirs), url.Values{"code": {code}}),
		v.do(http.MethodPost, fmt.Sprintf("/s/%s/verifications/%s/resend", v.id, theirs), url.Values{}),
	} {
		if r.status != http.StatusNotFound || strings.Contains(string(r.raw), "example.com") {
			t.Errorf("got %d: %s", r.status, r.raw)
		}
	}
	p.check(theirs, code) // was not touched
}
