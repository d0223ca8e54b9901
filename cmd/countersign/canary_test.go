package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/address"
	"countersign.dev/base/config"
	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/outbox"
)

// Whoever steals everything that the program leaves anywhere, other than its keys, learns no name, no address, no number, no
// message, no key and no code, nor a digest of one that anybody could compute.
func TestStolenDataShowsNothing(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			h := newHeist(t, engine)
			h.inOutboxMode()
			h.withMailServer()
			h.search()
		})
	}
}

// heist is one database that is filled with secrets, copied and searched.
type heist struct {
	*testing.T
	settings config.Settings
	clock    *apptest.Clock
	cluster  *apptest.Cluster // nil on SQLite
	node     *service

	secrets []needle
	issued  []issued
	bait    issued              // planted beside its id
	marks   map[string][]string // planted in clear: what, and the places that must show it
	loot    []place
}

// issued is a code with the ids of its verification and its delivery, and its notice's reference.
type issued struct {
	code string
	ids  []string
}

func newHeist(t *testing.T, engine store.Engine) *heist {
	h := &heist{T: t, clock: apptest.NewClock(time.Now()), marks: map[string][]string{}}
	if engine == store.SQLite {
		h.settings = settingsOn(t, engine)
		return h
	}
	h.settings = settingsOn(t, store.SQLite)
	h.cluster = apptest.NewCluster(t)
	url, err := h.cluster.CreateDatabase(t.Context(), "countersign")
	if err != nil {
		t.Fatal(err)
	}
	h.settings.DatabaseURL = url
	return h
}

// secret remembers that a value must be nowhere, and returns it.
func (h *heist) secret(of, value string) string {
	h.secrets = append(h.secrets, formsOf(of, value)...)
	return value
}

// name is secret as a whole and word by word.
func (h *heist) name(value string) string {
	for _, word := range strings.Fields(value) {
		if len(word) > minNeedle && word != value {
			h.secret("a word of "+value, word)
		}
	}
	return h.secret("the name "+value, value)
}

// email is secret with its parts.
func (h *heist) email(value string) string {
	h.Helper()
	e, err := address.ParseEmail(value)
	if err != nil {
		h.Fatal(err)
	}
	local, domain, _ := strings.Cut(value, "@")
	for part, text := range map[string]string{
		"": value, "the local part of ": local, "the domain of ": domain,
		"the machine form of ": e.String(), "the shown ": e.Display(), "the folded ": e.Key(),
	} {
		h.secret(part+value, text)
	}
	return value
}

// phone is secret as it is typed, in its international form, and as bare digits.
func (h *heist) phone(value, extension, country string) string {
	h.Helper()
	p, err := address.ParsePhoneParts(value, extension, country)
	if err != nil {
		h.Fatal(err)
	}
	digits := strings.TrimPrefix(p.E164, "+")
	national := digits[2:] // the countries here have codes of two digits
	for part, text := range map[string]string{
		"": value, "E.164 of ": p.E164, "the digits of ": digits, "the national digits of ": national, "the dialled digits of ": "0" + national,
		"the machine form of ": p.String(), "the shown ": p.Display(), "the folded ": p.Key(),
	} {
		h.secret(part+value, text)
	}
	if extension != "" {
		h.secrets = append(h.secrets, needle{of: "the extension of " + value, form: "clear", bytes: []byte(extension), alone: true})
	}
	return value
}

// message makes secret what a message says beyond its template: each line in which a hole was filled.
func (h *heist) message(m outbox.Message) {
	for line := range strings.Lines(m.Subject + "\n" + m.Text) {
		if line = strings.TrimSpace(line); len(line) > 20 && (strings.ContainsAny(line, "0123456789") || strings.Contains(line, "Harbourline")) {
			h.secret("a line of a message", line)
		}
	}
}

// took notes the code of a message.
func (h *heist) took(verification string, m outbox.Message) string {
	h.Helper()
	code := sixDigits.FindString(m.Text)
	if code == "" {
		h.Fatal("there is no code in a message")
	}
	h.issued = append(h.issued, issued{code, []string{verification, m.ID, m.Notice}})
	return code
}

// inOutboxMode goes through everything that an account's data can meet.
func (h *heist) inOutboxMode() {
	h.node = serve(h.T, h.settings, at(h.clock))
	h.secret("an API key", h.node.key)
	h.secret("an API key", strings.TrimPrefix(h.node.key, "cs_"))
	h.accounts()
	h.verifications()
	h.changes()
	h.badInput()
	h.crowd()
	h.remember("first/", h.copyAll())
	if err := h.node.stop(); err != nil {
		h.Fatal(err)
	}
	h.rememberStopped("stopped/")
}

func (h *heist) accounts() {
	n := h.node
	n.must(http.StatusCreated, http.MethodPut, accountPath("canary-cn"), object{
		"name": h.name("金丝雀贸易有限公司"), "locale": "zh-CN", "country": "CN", "time_zone": "Asia/Shanghai",
		"mailbox": h.email("Jinsique.Mailbox@quetzal-trading.example"),
	})
	n.must(http.StatusCreated, http.MethodPut, accountPath("canary-gb"), object{
		"name": h.name("Quetzalina Featherstonhaugh"), "country": "GB", "mailbox": h.email("quetzalina@featherpost.example"),
	})
	n.must(http.StatusOK, http.MethodPut, accountPath("canary-gb"), object{
		"name": h.name("Featherstonhaugh Ceramics"), "country": "GB", "mailbox": h.email("Counting.House@bücher-kiln.example"),
	})
	for _, c := range []struct{ account, slot, value, extension string }{
		{"canary-cn", "email", h.email("Mei.Zhenniao@goldfinch-mail.example"), ""},
		{"canary-cn", "email-2", h.email("用户名@goldfinch-utf8.example"), ""},
		{"canary-cn", "phone", h.phone("138 2719 4466", "", "CN"), ""},
		{"canary-gb", "email", h.email("Harriet+kiln@nightjar-mail.example"), ""},
		{"canary-gb", "phone", h.phone("07400 582 934", "", "GB"), ""},
		{"canary-gb", "phone-2", h.phone("(020) 7946 0735", "8253917", "GB"), "8253917"},
	} {
		in := object{"value": c.value}
		if c.extension != "" {
			in["extension"] = c.extension
		}
		n.must(http.StatusOK, http.MethodPut, contactPath(c.account, c.slot), in)
	}
}

// verifications are won, missed, sent again and left open.
func (h *heist) verifications() {
	n := h.node
	for _, slot := range []string{"email", "phone"} {
		id := n.start("canary-cn", slot)
		first := h.took(id, h.newest())
		n.refused("incorrect-code", http.MethodPost, checkPath(id), object{"code": wrong(first)}, "Idempotency-Key", h.secret("an Idempotency-Key", "guess-of-goldammer-"+slot))
		h.clock.Advance(time.Minute)
		n.must(http.StatusOK, http.MethodPost, "/v1/verifications/"+id+"/resend", nil, "Idempotency-Key", "again-"+slot)
		second := h.took(id, h.newest())
		n.must(http.StatusOK, http.MethodPost, checkPath(id), object{"code": second}, "Idempotency-Key", "right-"+slot)
		n.must(http.StatusOK, http.MethodPost, checkPath(id), object{"code": second}, "Idempotency-Key", "right-"+slot)
		n.refused("already-used", http.MethodPost, checkPath(id), object{"code": first})
		h.clock.Advance(time.Minute)
	}
	id := n.start("canary-gb", "email")
	lost := h.took(id, h.newest())
	for range 5 {
		n.refused("incorrect-code", http.MethodPost, checkPath(id), object{"code": wrong(lost)})
	}
	n.refused("too-many-guesses", http.MethodPost, checkPath(id), object{"code": lost})
	h.took(n.start("canary-gb", "phone"), h.newest()) // is left open
}

// newest waits for a message with a code that was not noted yet, and returns it.
func (h *heist) newest() (m outbox.Message) {
	h.Helper()
	noted := map[string]bool{}
	for _, one := range h.issued {
		noted[one.code] = true
	}
	h.node.eventually("a message with another code", func() bool {
		for _, m = range h.node.main.outbox.Messages() {
			if code := sixDigits.FindString(m.Text); code != "" && !noted[code] {
				return true
			}
		}
		return false
	})
	h.message(m)
	return m
}

// changes are what happens to contacts beside verifications, up to an erasure.
func (h *heist) changes() {
	n := h.node
	n.must(http.StatusOK, http.MethodPut, contactPath("canary-cn", "email"), object{"value": h.email("Mei.Neu@siskin-mail.example")})
	h.took(n.start("canary-cn", "email"), h.newest()) // the change waits
	n.must(http.StatusNoContent, http.MethodDelete, contactPath("canary-cn", "email-2"), nil)
	n.must(http.StatusNoContent, http.MethodDelete, contactPath("canary-cn", "phone"), nil)
	n.must(http.StatusCreated, http.MethodPost, contactPath("canary-gb", "phone-2")+"/deferrals", object{
		"until": h.clock.Now().Add(48 * time.Hour), "reason": h.name("Wilhelmina convalesces in Kleinkleckersdorf"),
	}, "Idempotency-Key", "later")
	n.must(http.StatusOK, http.MethodGet, accountPath("canary-cn")+"/contacts?reveal=true", nil)
	n.must(http.StatusOK, http.MethodGet, "/v1/accounts?slot_state=phone:unverified", nil)

	n.put("canary-gone", object{"name": h.name("Zugvogel Handelsgesellschaft"), "mailbox": h.email("abschied@zugvogel.example")},
		map[string]string{"email": h.email("Auf.Wiedersehen@zugvogel-mail.example")})
	h.took(n.start("canary-gone", "email"), h.newest())
	n.must(http.StatusNoContent, http.MethodDelete, accountPath("canary-gone"), nil)
}

// badInput is refused, and what it held is forgotten at once.
func (h *heist) badInput() {
	n := h.node
	name := h.name("Unterdrückter Vogelname")
	n.refused("unknown-field", http.MethodPut, accountPath("canary-gb"), object{"nickname": name})
	n.refused("unknown-field", http.MethodPut, accountPath("canary-gb"), object{h.secret("a field's name", "kosename-nachtigall"): 1})
	n.refused("wrong-type", http.MethodPut, accountPath("canary-gb"), object{"name": []string{name}})
	n.refused("unknown-parameter", http.MethodGet, "/v1/accounts?"+h.secret("a parameter", "rohrdommel")+"="+h.secret("a query", "gartenrotschwanz"), nil)
	for _, r := range []reply{
		n.call(http.MethodPut, contactPath("canary-gb", "email"), object{"value": h.secret("no address", "vertippt.rotkehlchen@@wiesenpieper")}),
		n.call(http.MethodPut, contactPath("canary-gb", "phone"), object{"value": h.secret("no number", "+44 7400 58293499887")}),
		n.call(http.MethodPut, accountPath(h.secret("no id", "teichrohrsaenger@schilf.example")), object{"name": "x"}),
		n.call(http.MethodGet, "/nowhere/"+h.secret("no route", "waldlaubsaenger"), nil),
		n.call(http.MethodGet, "/v1/accounts", nil, "Authorization", "Bearer "+h.secret("no key", "cs_wendehalsundeisvogelundkiebitz")),
		n.call(http.MethodPost, contactPath("canary-gb", "email")+"/deferrals", object{
			"until": h.clock.Now().Add(time.Hour), "reason": h.secret("no reason", "wegen\nSteinschmaetzer"),
		}),
	} {
		if r.status < 400 || r.status >= 500 {
			h.Errorf("bad input got %d: %s", r.status, r.raw)
		}
	}
}

const (
	crowdAccounts = 100
	crowdCodes    = 1000
	crowdBatch    = 250 // well below what the outbox keeps
)

var crowdSlots = []string{"email", "email-2", "email-3", "email-4", "email-5", "phone", "phone-2", "phone-3", "phone-4", "phone-5"}

func crowdContact(account, slot int) string {
	if slot < 5 {
		return fmt.Sprintf("crowd%04d@sparrows.example", 10*account+slot)
	}
	return fmt.Sprintf("+86138%08d", 44_000_000+10*account+slot)
}

// crowd is many accounts whose contacts all get a code; some of the codes are used.
func (h *heist) crowd() {
	h.importCrowd()
	n, before := h.node, len(h.issued)
	for first := 0; first < crowdCodes; first += crowdBatch {
		started := make(map[string]string, crowdBatch) // by where the code goes
		var mu sync.Mutex
		inParallel(8, crowdBatch, func(i int) {
			account, slot := (first+i)/len(crowdSlots), (first+i)%len(crowdSlots)
			id := n.start(fmt.Sprintf("crowd-%d", account), crowdSlots[slot])
			mu.Lock()
			defer mu.Unlock()
			started[crowdContact(account, slot)] = id
		})
		h.collect(started)
	}
	if got := len(h.issued) - before; got != crowdCodes {
		h.Fatalf("%d codes of the crowd are known, not %d", got, crowdCodes)
	}
	for i, one := range h.issued[before:] {
		switch i % 20 {
		case 0:
			n.must(http.StatusOK, http.MethodPost, checkPath(one.ids[0]), object{"code": one.code}, "Idempotency-Key", fmt.Sprint("crowd-", i))
		case 1:
			n.refused("incorrect-code", http.MethodPost, checkPath(one.ids[0]), object{"code": wrong(one.code)})
		case 2:
			n.refused("code-malformed", http.MethodPost, checkPath(one.ids[0]), object{"code": one.code + "x"})
		case 3, 4, 5, 6, 7:
			n.call(http.MethodGet, checkPath(one.code), nil) // a code in a path that is no route
		}
	}
}

func (h *heist) importCrowd() {
	var csv strings.Builder
	fmt.Fprintln(&csv, "account,name,country,"+strings.Join(crowdSlots, ","))
	for account := range crowdAccounts {
		fmt.Fprintf(&csv, "crowd-%d,%s,CN", account, h.secret("a name of the crowd", fmt.Sprintf("Sperling Nummer %04d", account)))
		for slot := range crowdSlots {
			fmt.Fprint(&csv, ",", h.secret("a contact of the crowd", crowdContact(account, slot)))
		}
		fmt.Fprintln(&csv)
	}
	file := filepath.Join(h.TempDir(), "crowd.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		h.Fatal(err)
	}
	if _, errs, code := command(h.Context(), h.settings, "import", "accounts", file); code != exitDone {
		h.Fatalf("import: exit %d: %s", code, errs)
	}
}

// collect waits for the messages of verifications and notes their codes.
func (h *heist) collect(started map[string]string) {
	h.Helper()
	found := make(map[string]outbox.Message, len(started))
	h.node.eventually("a message for each", func() bool {
		for _, m := range h.node.main.outbox.Messages() {
			if _, ok := started[m.To]; ok {
				found[m.To] = m
			}
		}
		return len(found) == len(started)
	})
	for to, m := range found {
		h.took(started[to], m)
	}
}

// inParallel does n things, a few at a time.
func inParallel(workers, n int, do func(i int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// withMailServer runs the program again, with a server whose words repeat what they are told.
func (h *heist) withMailServer() {
	sink := apptest.NewSink(h.T, apptest.SinkOptions{})
	gone, slow := h.email("Unbekannt.Verzogen@nightjar-mail.example"), h.email("Ganz.Langsam@nightjar-mail.example")
	sink.Fail(apptest.Failure{
		At: apptest.AtRcpt, To: gone, Code: 550, Enhanced: "5.1.1",
		Text: "<" + gone + ">: " + h.secret("a server's words", "no such bird: Featherstonhaugh moved to Quetzaltenango"),
	})
	sink.Fail(apptest.Failure{
		At: apptest.AtRcpt, To: slow, Code: 450, Enhanced: "4.2.0",
		Text: "<" + slow + ">: " + h.secret("a server's words", "Greylisted at Quetzaltenango, come back"),
	})
	s := h.settings
	s.SMTP.URL, s.Mail.From = sink.URL(), "contacts@harbourline.example"
	h.clock.Advance(time.Minute) // what the first run had leased lapses
	h.node = serve(h.T, s, at(h.clock))
	h.secret("an API key", h.node.key)
	n := h.node
	well := h.email("Glatt.Gelaufen@nightjar-mail.example")
	n.put("canary-mail", object{"name": h.name("Postmeister Hyazinth")}, map[string]string{"email": gone, "email-2": slow, "email-3": well})
	for _, slot := range []string{"email", "email-2", "email-3"} {
		n.start("canary-mail", slot)
	}
	n.eventually("a contact that bounced", func() bool { return n.contact("canary-mail", "email")["reason"] == "bounced" })
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	if _, err := sink.Wait(ctx, 1); err != nil {
		h.Fatal(err)
	}
	n.eventually("a delivery that waits for its next attempt", func() bool {
		return slices.ContainsFunc(tables(h.T, s)["delivery"], func(r row) bool { return fmt.Sprint(r["code"]) == "450" })
	})
	h.plant()
	h.remember("second/", h.copyAll())
	if err := n.stop(); err != nil {
		h.Fatal(err)
	}
	h.rememberStopped("stopped again/")
}

// mark returns a word that is planted in clear and must be found in all these places.
func (h *heist) mark(places ...string) string {
	word := fmt.Sprintf("planted-kakapo-%02d", len(h.marks))
	h.marks[word] = places
	return word
}

// files are the places of what stands in a row: the database's own file and its log.
func (h *heist) files() (file, log string) {
	if h.cluster != nil {
		return "cluster/base/", "cluster/pg_wal/"
	}
	return "data/countersign.db", "data/countersign.db-wal"
}

// plant puts words in clear wherever the search looks, so that finding nothing says something.
func (h *heist) plant() {
	file, log := h.files()
	db := direct(h.T, h.settings)
	write(h.T, db, "INSERT INTO template_version (version_id, name, rule, compiled, created_at) VALUES ('mark', 'mark', 1, $1, 1)",
		h.mark("table template_version", file, log))
	write(h.T, db, "INSERT INTO idempotency (key, request, status, problem, subject, created_at) VALUES ($1, $1, 1, $2, '', $3)",
		[]byte("mark"), h.mark("table idempotency", file, log), store.Micros(h.clock.Now()))
	write(h.T, db, "INSERT INTO river_job (kind, queue, max_attempts, args) VALUES ('mark', 'nobody', 1, $1)",
		`{"word":"`+h.mark("table river_job", file, log)+`"}`)
	h.bait = issued{"735802", []string{store.NewID(time.Now())}}
	write(h.T, db, "INSERT INTO template_version (version_id, name, rule, compiled, created_at) VALUES ('bait', 'bait', 1, $1, 1)",
		`{"verification":"`+h.bait.ids[0]+`","code":"`+h.bait.code+`"}`)
	h.node.main.app.log.Debug("bait", "verification", h.bait.ids[0], "code", h.bait.code)
	word := h.mark("table event", "events", file, log)
	err := h.node.main.app.db.Write(h.Context(), func(tx *store.Tx) error {
		event.Append(tx, event.Event{Type: "mark", Subject: "mark", Actor: event.System, Body: map[string]any{"word": word}})
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	h.node.main.app.log.Debug("mark", "word", h.mark("log"))
	h.node.main.metrics.Observe(h.mark("metrics"), http.StatusOK, time.Millisecond)
	if h.cluster == nil {
		h.plantInFreePages(db, h.mark(file))
	} else {
		for word, places := range h.marks {
			if slices.Contains(places, file) {
				h.marks[word] = append(places, "dump")
			}
		}
	}
	h.node.eventually("the planted event in the feed", func() bool {
		return slices.ContainsFunc(h.node.feed(), func(e map[string]any) bool { return e["type"] == "mark" })
	})
}

// plantInFreePages leaves a word in pages that no table uses, which the program itself would overwrite.
func (h *heist) plantInFreePages(db *sql.DB, word string) {
	h.Helper()
	conn, err := db.Conn(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{
		"PRAGMA secure_delete = OFF",
		"CREATE TABLE mark (word TEXT)",
		"INSERT INTO mark WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT '" + word + "' FROM n",
		"DROP TABLE mark",
	} {
		if _, err := conn.ExecContext(h.Context(), statement); err != nil {
			h.Fatalf("%s: %v", statement, err)
		}
	}
	var free int
	if err := conn.QueryRowContext(h.Context(), "PRAGMA freelist_count").Scan(&free); err != nil || free == 0 {
		h.Fatalf("the file has %d free pages: %v", free, err)
	}
}

func (h *heist) remember(when string, places []place) {
	for _, p := range places {
		p.name = when + p.name
		h.loot = append(h.loot, p)
	}
}

// rememberStopped takes what a program that has ended leaves of its own files; a server's do not change with it.
func (h *heist) rememberStopped(when string) {
	h.remember(when, filesIn(h.T, "data", h.settings.Data))
}

// copyAll takes what a running program leaves: files, tables, a dump, the log, metrics and the feed.
func (h *heist) copyAll() []place {
	h.Helper()
	n := h.node
	all := h.copyFiles()
	for name, rows := range tables(h.T, h.settings) {
		all = append(all, place{name: "table " + name, content: plain(rows), prose: true})
	}
	feed, err := json.Marshal(n.feed())
	if err != nil {
		h.Fatal(err)
	}
	all = append(all,
		place{name: "log", content: []byte(n.log.String()), prose: true},
		place{name: "metrics", content: n.must(http.StatusOK, http.MethodGet, "/metrics", nil).raw, prose: true},
		place{name: "events", content: feed, prose: true})
	if h.cluster != nil {
		dump, err := h.cluster.Dump(h.Context(), "countersign")
		if err != nil {
			h.Fatal(err)
		}
		all = append(all,
			place{name: "dump", content: dump, prose: true},
			place{name: "server log", content: []byte(h.cluster.Log()), prose: true})
	}
	return all
}

// copyFiles takes the files of the database and of the data directory.
func (h *heist) copyFiles() []place {
	h.Helper()
	all := filesIn(h.T, "data", h.settings.Data)
	if h.cluster != nil {
		if err := h.cluster.Exec(h.Context(), "CHECKPOINT"); err != nil {
			h.Fatal(err)
		}
		all = append(all, filesIn(h.T, "cluster", h.cluster.Dir)...)
	}
	return all
}

func (h *heist) search() {
	h.searchMarks()
	if found := newFinder(h.secrets).find(h.loot); len(found) > 0 {
		slices.Sort(found)
		h.Errorf("%d secrets lie about:\n%s", len(found), strings.Join(found[:min(len(found), 40)], "\n"))
	}
	h.searchCodeDigests()
	h.countCodes()
	h.searchNearIDs()
	h.searchPayloads()
}

// searchMarks proves that the search can fail in each place.
func (h *heist) searchMarks() {
	var needles []needle
	for word := range h.marks {
		needles = append(needles, needle{of: word, form: "clear", bytes: []byte(word)})
	}
	found := newFinder(needles).find(h.loot)
	for word, places := range h.marks {
		for _, place := range places {
			if !slices.ContainsFunc(found, func(line string) bool {
				return strings.HasPrefix(line, word+" ") &&
					(strings.HasSuffix(line, "/"+place) || strings.HasSuffix(place, "/") && strings.Contains(line, "/"+place))
			}) {
				h.Errorf("the word planted for it was not found in %q: the search does not look there", place)
			}
		}
	}
}

// searchCodeDigests looks for hashes of codes that need no key: a million tries undo them.
func (h *heist) searchCodeDigests() {
	var needles []needle
	for _, one := range h.issued {
		needles = append(needles, digestForms("a code", one.code)...)
		for _, id := range one.ids[:2] {
			for _, salted := range []string{id + one.code, one.code + id, id + ":" + one.code, one.code + ":" + id} {
				needles = append(needles, digestForms("a code with its id", salted)...)
			}
		}
	}
	if found := newFinder(needles).find(h.loot); len(found) > 0 {
		h.Errorf("digests of codes lie about: %q", found[:min(len(found), 20)])
	}
}

// countCodes compares the codes that were issued with as many that never were.
func (h *heist) countCodes() {
	shown := map[string]bool{}
	for _, place := range h.loot {
		place.sixDigitRuns(func(code []byte) { shown[string(code)] = true })
	}
	issued := map[string]bool{}
	for _, one := range h.issued {
		issued[one.code] = true
	}
	foundIssued, foundNever := countIn(shown, issued), countIn(shown, neverIssued(h.T, issued))
	if toldApart(foundIssued, foundNever) {
		h.Errorf("%d of %d issued codes are found, and only %d of as many never issued", foundIssued, len(issued), foundNever)
	}
	h.Logf("found %d of %d issued codes, %d of as many never issued; %d different numbers of six digits in all",
		foundIssued, len(issued), foundNever, len(shown))
	if len(issued) < crowdCodes*99/100 {
		h.Errorf("only %d different codes were issued", len(issued))
	}
}

// toldApart says that issued codes are found more often than others. Where nothing tells the two apart, each that is found is as
// likely of the one kind as of the other, and by Hoeffding's inequality more than m/2 + sqrt(m·ln(1/p)/2) of m found are issued
// ones with a probability below p, here one in a million.
func toldApart(foundIssued, foundNever int) bool {
	const p = 1e-6
	m := float64(foundIssued + foundNever)
	return float64(foundIssued) > m/2+math.Sqrt(m*math.Log(1/p)/2)
}

func TestCodesThatLieAboutAreToldApart(t *testing.T) {
	for _, c := range []struct {
		issued, never int
		want          bool
	}{{1000, 0, true}, {1000, 300, true}, {40, 2, true}, {3, 0, false}, {520, 480, false}, {0, 0, false}, {0, 1000, false}} {
		if got := toldApart(c.issued, c.never); got != c.want {
			t.Errorf("%d issued and %d others found: told apart %v, want %v", c.issued, c.never, got, c.want)
		}
	}
}

func neverIssued(t testing.TB, issued map[string]bool) map[string]bool {
	never := map[string]bool{}
	for len(never) < len(issued) {
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			t.Fatal(err)
		}
		if code := fmt.Sprintf("%06d", n); !issued[code] {
			never[code] = true
		}
	}
	return never
}

func countIn(shown, codes map[string]bool) (n int) {
	for code := range codes {
		if shown[code] {
			n++
		}
	}
	return n
}

// nearby is how many bytes before and after an id belong to it, more than any row is long.
const nearby = 512

// searchNearIDs looks for codes beside the ids of their verification, delivery and notice. One that was planted so is found.
func (h *heist) searchNearIDs() {
	codesOf := map[string][]string{}
	var ids []needle
	for _, one := range append(h.issued, h.bait) {
		for _, id := range one.ids {
			if codesOf[id] == nil {
				ids = append(ids, needle{of: id, bytes: []byte(id)})
			}
			codesOf[id] = append(codesOf[id], one.code)
		}
	}
	f, met, beside := newFinder(ids), map[string]bool{}, map[string]string{}
	for _, p := range h.loot {
		f.search(p.content, func(n needle, at int) {
			met[n.of] = true
			around := p
			around.content = p.content[max(0, at-nearby):min(len(p.content), at+len(n.bytes)+nearby)]
			if slices.ContainsFunc(codesOf[n.of], around.shows) {
				beside[n.of] += " " + p.name
			}
		})
	}
	if len(met) < len(ids)*9/10 {
		h.Errorf("only %d of %d ids were met: the search looks past them", len(met), len(ids))
	}
	file, log := h.files()
	for _, place := range []string{"table template_version", "log", file, log} {
		if !strings.Contains(beside[h.bait.ids[0]], "/"+place) {
			h.Errorf("the code planted beside its id was not found in %q, only in%s", place, beside[h.bait.ids[0]])
		}
	}
	delete(beside, h.bait.ids[0])
	for id, places := range beside {
		h.Errorf("the code of %s stands beside it in%s", id, places)
	}
}

// searchPayloads looks for sealed codes of messages that are done: whoever has the keys as well must not find them either.
func (h *heist) searchPayloads() {
	states, left := map[string]int{}, 0
	for _, r := range tables(h.T, h.settings)["delivery"] {
		states[r.text("state")]++
		if r.text("state") != string(deliver.StateQueued) && r["payload"] != nil {
			left++
		}
	}
	if left > 0 {
		h.Errorf("%d deliveries that are done still have their secrets", left)
	}
	if states["accepted"] < crowdCodes || states["refused"] != 1 || states["queued"] != 1 {
		h.Errorf("the deliveries are not what this test is about: %v", states)
	}
}

// shows tells whether a code is in the place in one of the forms in which it is no coincidence.
func (p place) shows(code string) (shown bool) {
	p.sixDigitRuns(func(run []byte) { shown = shown || string(run) == code })
	for _, n := range clearForms("a code", code) {
		if n.form != "clear" {
			shown = shown || bytes.Contains(p.content, n.bytes)
		}
	}
	return shown
}
