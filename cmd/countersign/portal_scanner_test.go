package main

import (
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"countersign.dev/apptest/browser"
	"countersign.dev/apptest/scanner"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/channel/outbox"
)

var scans = flag.Int("scans", 16, "how many messages the scanner opens in its browser at least, in all; of the others, beyond one of each template and language, it only fetches the links")

// A mail scanner that fetches, opens, fills in, sends and clicks whatever a message leads to uses nothing up, starts nothing and tells
// nobody anything; and the person for whom the message was still does what it is for.
func TestScannersUseNothingUp(t *testing.T) {
	var fetched, opened atomic.Int64
	for round := 0; !t.Failed() && (round == 0 || int(opened.Load()) < *scans); round++ {
		t.Run(fmt.Sprintf("round %d", round+1), func(t *testing.T) {
			for locale, engine := range map[i18n.Locale]store.Engine{i18n.En: store.PostgreSQL, i18n.Zh: store.SQLite} {
				t.Run(string(locale), func(t *testing.T) {
					t.Parallel()
					r := newReplay(t, engine, holders[locale])
					r.verifications()
					r.changes()
					r.coversEveryTemplate()
					fetched.Add(int64(len(r.scanned)))
					opened.Add(int64(r.opened))
				})
			}
		})
	}
	t.Logf("0 of %d messages were used up by a scanner's fetches, 0 of %d by its browser", fetched.Load(), opened.Load())
}

// replay is a seller whose every message is scanned before they read it.
type replay struct {
	*person
	h       holder
	db      *sql.DB
	scanned map[string]bool // by the message's id
	opened  int             // messages whose links were opened in the scanner's browser
	known   map[string]bool // templates of which one was
}

func newReplay(t *testing.T, engine store.Engine, h holder) *replay {
	p := newPlatform(t, engine)
	p.settle(h)
	return &replay{person: p.come(t, h, browser.Options{}), h: h, db: direct(t, p.main.Settings), scanned: map[string]bool{}, known: map[string]bool{}}
}

// verifications are by code, by link and by SMS.
func (r *replay) verifications() {
	r.Helper()
	r.Click(r.card("portal.card.verify", "email"))
	r.asks("email", "code")
	r.scan(1)
	r.types("code", sixDigits.FindString(r.p.message(r.h.email, 1).Text))
	r.verified("email")
	r.home()

	r.adds("email-2", "second@spare.example")
	r.asks("email-2", "link")
	r.scan(1)
	r.Open(linkIn(r, r.p.message("second@spare.example", 1)))
	r.AwaitHeading(r.say("portal.link.confirm.title"))
	r.Click(r.say("portal.link.confirm.submit"))
	r.verified("email-2")
	r.home()

	r.adds("email-3", "third@spare.example")
	r.asks("email-3", "link")
	r.scan(1)
	other := r.elsewhere(browser.Options{})
	other.Open(linkIn(r, r.p.message("third@spare.example", 1)))
	r.types("link", shownCode.FindString(other.Text()))
	r.verified("email-3")
	r.home()

	r.Click(r.card("portal.card.verify", "phone"))
	r.asks("phone", "sms")
	r.scan(1)
	r.types("sms", sixDigits.FindString(r.p.newestSMS().Text))
	r.verified("phone")
	r.home()
}

// changes are told to those concerned, and disputed by two of them: by mail and by SMS.
func (r *replay) changes() {
	r.Helper()
	r.changesTheEmail("new@spare.example")
	r.scan(4) // the code; the old, the new, the mailbox
	r.disputes(r.p.message(r.h.email, 2), 1)
	r.scan(3)

	r.removes("email-2", "second@spare.example")
	r.scan(2)
	r.p.must(http.StatusNoContent, http.MethodDelete, contactPath(r.h.id, "phone"), nil)
	r.scan(2)
	r.disputes(r.p.newestSMS(), 2)
	r.scan(2)

	r.p.must(http.StatusOK, http.MethodPut, accountPath(r.h.id), object{
		"name": r.h.name, "locale": string(r.h.locale), "country": r.h.country, "time_zone": r.h.zone, "mailbox": "box@another.example",
	})
	r.scan(3) // the old, the new, a contact; and former contacts, which learn that it happened
}

// disputes is what whoever got a message does with it; it is the n-th dispute.
func (r *replay) disputes(m outbox.Message, n int) {
	r.Helper()
	reference, code := disputeIn(r, m)
	v := r.elsewhere(browser.Options{})
	v.Open(r.p.main.URL() + "/dispute")
	v.Type(r.say("portal.dispute.reference"), reference)
	v.Type(r.say("portal.dispute.code"), code)
	v.Click(r.say("portal.dispute.submit"))
	v.AwaitHeading(r.say("portal.dispute.sent.title"))
	r.p.happened(r.h.id, "contact.disputed", n)
}

// scan waits for at least n messages that were not scanned yet, and scans all of them.
func (r *replay) scan(n int) {
	r.Helper()
	var fresh []outbox.Message
	r.p.eventually("messages to scan", func() bool {
		all := r.p.main.outbox.Messages()
		fresh = slices.DeleteFunc(all, func(m outbox.Message) bool { return r.scanned[m.ID] })
		return r.p.quiet(r.db) && len(fresh) >= n
	})
	for _, m := range fresh {
		r.scanned[m.ID] = true
		before := r.state()
		report := scanner.Fetch(r, scanner.Mail{Text: m.Text, HTML: m.HTML}, r.p.main.URL())
		if template := r.templateOf(m); !r.known[template] || r.opened < *scans/2 {
			r.known[template] = true
			r.opened++
			report.Open(r)
		}
		r.p.eventually("an end of what the scanner set off", func() bool { return r.p.quiet(r.db) })
		r.same(before, r.state(), report, m)
	}
}

// templateOf is the version of the template that a message was made from.
func (r *replay) templateOf(m outbox.Message) (version string) {
	r.Helper()
	if err := r.db.QueryRowContext(r.Context(), "SELECT template_version FROM notice WHERE reference = $1", m.Notice).Scan(&version); err != nil {
		r.Fatal(err)
	}
	return version
}

// state is everything that the program remembers, but for what it notes of its own work.
func (r *replay) state() map[string]string {
	r.Helper()
	all := map[string]string{}
	for name, rows := range tables(r, r.p.main.Settings) {
		if name == "lease" || strings.HasPrefix(name, "river_") || strings.HasPrefix(name, "goose_") || strings.HasPrefix(name, "sqlite_") {
			continue
		}
		lines := make([]string, len(rows))
		for i, one := range rows {
			lines[i] = string(plain([]row{one}))
		}
		slices.Sort(lines)
		all[name] = strings.Join(lines, "\n")
	}
	return all
}

func (r *replay) same(before, after map[string]string, report *scanner.Report, m outbox.Message) {
	r.Helper()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if before[name] != after[name] {
			r.Errorf("scanning changed %s, by %+v of\n%s\n\n%q\n\n%q", name, report, m.Text, before[name], after[name])
		}
	}
}

// coversEveryTemplate says that the replay went over a message of each template that there is.
func (r *replay) coversEveryTemplate() {
	r.Helper()
	all := tables(r, r.p.main.Settings)
	for _, v := range all["template_version"] {
		if !r.known[v.text("version_id")] {
			r.Errorf("no message of the template %s was scanned", v.text("name"))
		}
	}
	if n := len(all["delivery"]); n != len(r.scanned) {
		r.Errorf("%d messages were sent and %d scanned", n, len(r.scanned))
	}
}
