package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
)

// What a page may cost, in statements; every other one that can be read costs at most otherPages. The bounds are those of
// docs/architecture.md. Reading commits nothing.
var statementsOf = map[string]int64{
	"GET /s/{session}": 6,
}

const otherPages = 4

// A page costs no more for an account with ten contacts and many messages than for a new one.
func TestPagesKeepToTheirStatements(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			p := newPlatform(t, engine)
			small := holders[i18n.En]
			p.settle(small)
			p.settleFully("full")
			p.countPages(small.id, p.start(small.id, "email"))
			p.countPages("full", p.start("full", "email-5"))
		})
	}
}

// settleFully makes an account with a contact in each slot, of which half are verified and half have a code under way.
func (p *platform) settleFully(id string) {
	p.Helper()
	p.put(id, object{"name": "Full", "country": "GB", "mailbox": "box@full.example"}, nil)
	for i := range 5 {
		rank := strings.TrimSuffix(fmt.Sprintf("-%d", i+1), "-1")
		email := fmt.Sprintf("c%d@full.example", i)
		p.must(http.StatusOK, http.MethodPut, contactPath(id, "email"+rank), object{"value": email})
		p.check(p.start(id, "email"+rank), sixDigits.FindString(p.message(email, 1).Text))
		p.must(http.StatusOK, http.MethodPut, contactPath(id, "phone"+rank), object{"value": fmt.Sprintf("0740058294%d", i)})
		p.start(id, "phone"+rank)
	}
	p.clock.Advance(time.Minute) // the pause between two messages is over
}

// countPages asks for every page that a session and an account have, and counts.
func (p *platform) countPages(account, verification string) {
	p.Helper()
	v := p.visit(account, nil)
	db := direct(p, p.main.Settings)
	p.eventually("an end of what goes on in the background", func() bool { return p.quiet(db) })
	for _, r := range p.main.portal.Routes() {
		path, readable := strings.CutPrefix(r.Pattern, "GET ")
		if !readable {
			continue
		}
		path = strings.NewReplacer("{session}", v.id, "{slot}", "email", "{id}", verification, "{token}", strings.Repeat("0", 52)).Replace(path)
		ctx, count := store.WithCount(p.Context())
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, p.main.URL()+path, http.NoBody)
		request.Header.Set("Cookie", v.cookie)
		answer := httptest.NewRecorder()
		p.main.servers[0].Handler.ServeHTTP(answer, request)
		most, known := statementsOf[r.Pattern]
		if !known {
			most = otherPages
		}
		p.Logf("%s of %s: %d, %d statements", r.Pattern, account, answer.Code, count.Statements.Load())
		if answer.Code >= 500 || r.Session && answer.Code >= 400 {
			p.Errorf("%s of %s: got %d", r.Pattern, account, answer.Code)
		}
		if n, c := count.Statements.Load(), count.Commits.Load(); n > most || c > 0 {
			p.Errorf("%s of %s: %d statements and %d commits, at most %d and none are allowed", r.Pattern, account, n, c, most)
		}
	}
}
