package portal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/outbox"
	"countersign.dev/contact"
	"countersign.dev/face/portal"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

const (
	operator  = "Harbourline"
	site      = "https://harbourline.example"
	returnURL = site + "/account/contacts"
)

// answers are what other systems say to messages to these addresses.
var answers = map[string]deliver.Result{
	"refusing@example.com": {Outcome: deliver.Refused, Code: 550, Enhanced: "5.1.1", Words: "550 <b>no such user</b> here"},
	"delaying@example.com": {Outcome: deliver.Retry, Code: 451, Enhanced: "4.7.1", Words: "451 try again later"},
}

// bundle is the portal over real features, one database and an outbox, served over HTTP.
type bundle struct {
	testing.TB
	ctx      context.Context
	db       *store.DB
	clock    *apptest.Clock
	box      *outbox.Outbox
	sessions *auth.Sessions
	accounts *account.Accounts
	contacts *contact.Contacts
	verifier *verify.Verifier
	portal   *portal.Portal
	options  portal.Options
	handler  http.Handler
	url      string
	read     int // messages that code has read
}

// onBoth runs body on both engines, on a clock that stands.
func onBoth(t *testing.T, body func(b *bundle)) {
	t.Helper()
	clock := apptest.NewClock(time.Date(2026, 3, 3, 9, 30, 0, 0, time.UTC))
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) { body(setup(t, db, clock)) })
}

func setup(t testing.TB, db *store.DB, clock *apptest.Clock) *bundle {
	t.Helper()
	b := &bundle{TB: t, ctx: t.Context(), db: db, clock: clock, box: outbox.New()}
	keys, _, err := seal.Attach(b.ctx, db, seal.Options{Dir: filepath.Join(t.TempDir(), "keys")})
	b.must(err)
	listed, err := auth.ParseReturnURLs([]string{returnURL})
	b.must(err)
	b.sessions = auth.NewSessions(auth.SessionsOptions{DB: db, Keys: keys, ReturnURLs: listed})
	b.accounts = account.New(account.Options{Keys: keys, Erase: []func(context.Context, *store.Tx, string) error{
		contact.Erase,
		func(ctx context.Context, tx *store.Tx, id string) error {
			return auth.EraseSessions(ctx, tx, id, clock.Now().Add(time.Hour))
		},
	}})
	b.contacts = contact.New(contact.Options{Keys: keys, Accounts: b.accounts})
	queue := deliver.New(deliver.Options{DB: db, Senders: map[string]deliver.Sender{deliver.Email: b, deliver.SMS: b}})
	notices := notice.New(notice.Options{
		Keys: keys, Queue: queue, Accounts: b.accounts, Contacts: b.contacts,
		Platform: operator, Host: "contacts.example.com", Origin: "https://contacts.example.com", Accent: "#1d5bbf",
	})
	queue.Composes(notices.Compose)
	b.must(notices.Install(b.ctx, db))
	b.verifier = verify.New(verify.Options{
		DB: db, Keys: keys, Contacts: b.contacts, Notices: notices, HasRoute: queue.Has, Limits: verify.Default(),
	})
	brand, err := ui.NewBrand(ui.BrandOptions{Name: operator, Site: site, Help: "help@harbourline.example"})
	b.must(err)
	b.options = portal.Options{
		DB: db, Auth: b.sessions, Accounts: b.accounts, Contacts: b.contacts, Verifier: b.verifier,
		Brand: brand, Assets: ui.NewAssets(brand), HasRoute: queue.Has,
	}
	b.portal = portal.New(b.options)
	b.handler = serve(b.portal)
	b.start(queue)
	return b
}

// serve puts a portal behind what is around every handler.
func serve(p *portal.Portal) http.Handler {
	mux := web.NewMux()
	p.Register(mux)
	return web.Wrap(mux, web.Options{Page: p.Problem})
}

// Send takes a message that leaves.
func (b *bundle) Send(ctx context.Context, m deliver.Message) deliver.Result {
	if answer, ok := answers[m.To]; ok {
		return answer
	}
	return b.box.Send(ctx, m)
}

// start serves, and has messages leave, until the test ends.
func (b *bundle) start(queue *deliver.Queue) {
	srv := httptest.NewServer(b.handler)
	ctx, stop := context.WithCancel(context.Background())
	go queue.Run(ctx)
	b.Cleanup(func() {
		srv.Close()
		stop()
		<-queue.Ended()
	})
	b.url = srv.URL
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) write(fn func(tx *store.Tx) error) {
	b.Helper()
	b.must(b.db.Write(b.ctx, fn))
}

// account makes one, with a mailbox of its own, in a language.
func (b *bundle) account(id string, locale i18n.Locale) {
	b.Helper()
	mailbox := id + "@mailbox.example"
	b.write(func(tx *store.Tx) error {
		_, _, err := b.accounts.Put(b.ctx, tx, account.Input{
			ID: id, Name: "Mei Trading", Locale: string(locale), TimeZone: "Asia/Shanghai", Country: "CN", Mailbox: &mailbox,
		}, "key:test")
		return err
	})
}

func slot(name string) contact.Slot {
	s, err := contact.ParseSlot(name)
	if err != nil {
		panic(err)
	}
	return s
}

// set puts a value into a slot.
func (b *bundle) set(id, name, value string) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		_, _, err := b.contacts.Set(b.ctx, tx, id, slot(name), value, "", "key:test")
		return err
	})
}

// begin starts a verification and returns its id.
func (b *bundle) begin(id, name string, m verify.Method) (verification string) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		v, err := b.verifier.Start(b.ctx, tx, id, slot(name), m, "key:test")
		verification = v.ID
		return err
	})
	return verification
}

var sixDigits = regexp.MustCompile(`\b\d{3} ?\d{3}\b`)

// code waits for the next message and returns the code in it.
func (b *bundle) code() string {
	b.Helper()
	for {
		all := b.box.Messages() // newest first
		if len(all) > b.read {
			b.read++
			return strings.ReplaceAll(sixDigits.FindString(all[len(all)-b.read].Text), " ", "")
		}
		if b.ctx.Err() != nil {
			b.Fatal(b.ctx.Err())
		}
		time.Sleep(time.Millisecond)
	}
}

// verify proves what stands in a slot, a second after it was asked to: events of one moment have no order.
func (b *bundle) verify(id, name string, m verify.Method) {
	b.Helper()
	v := b.begin(id, name, m)
	b.clock.Advance(time.Second)
	b.must(b.verifier.Check(b.ctx, v, b.code(), "account:"+id, verify.Around{}))
}

// events are the types of the account's events, oldest first.
func (b *bundle) events(id string) (types []string) {
	b.Helper()
	b.must(b.db.Read(b.ctx, func(tx *store.Tx) error {
		all, err := event.OfAccount(b.ctx, tx, id, "", 1000)
		for i := range all {
			types = append(types, all[len(all)-1-i].Type)
		}
		return err
	}))
	return types
}

// open makes a session and returns its id and the path of its URL.
func (b *bundle) open(in auth.SessionInput) (id, path string) {
	b.Helper()
	if in.ReturnURL == "" {
		in.ReturnURL = returnURL
	}
	b.write(func(tx *store.Tx) error {
		o, err := b.sessions.Open(b.ctx, tx, in, "key:test")
		id, path = o.ID, "/start/"+o.Token
		return err
	})
	return id, path
}

// browser is one browser with its cookies. It follows redirects and notes where it ended up.
type browser struct {
	b      *bundle
	client *http.Client
	header map[string]string
}

func (b *bundle) browser() *browser {
	jar, err := cookiejar.New(nil)
	b.must(err)
	return &browser{b, &http.Client{Jar: jar}, map[string]string{"Accept": "text/html"}}
}

// enter redeems a new session for an account in a new browser; it returns the path of its home.
func (b *bundle) enter(in auth.SessionInput) (br *browser, home string) {
	b.Helper()
	id, path := b.open(in)
	br = b.browser()
	br.get(path).want(http.StatusOK)
	br.post(path, nil).want(http.StatusOK)
	return br, "/s/" + id
}

// page is what came back.
type page struct {
	*bundle
	status int
	header http.Header
	path   string // where redirects led, with the query
	doc    *html.Node
	text   string // what a person reads, in one line
	raw    string
}

func (br *browser) get(path string) page {
	br.b.Helper()
	return br.do(http.MethodGet, path, nil)
}

func (br *browser) post(path string, form url.Values) page {
	br.b.Helper()
	return br.do(http.MethodPost, path, strings.NewReader(form.Encode()))
}

// spacedDate is a date that does not stand in its Chinese sentence as Chinese is set: without spaces. A date with a time ends in
// digits and has them.
var spacedDate = regexp.MustCompile(`\p{Han} \d{4}年\d+月\d+日(?: ?[^ \d]|$)|\d日 \p{Han}`)

func (br *browser) do(method, path string, body io.Reader) page {
	br.b.Helper()
	req, err := http.NewRequestWithContext(br.b.ctx, method, br.b.url+path, body)
	br.b.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range br.header {
		req.Header.Set(name, value)
	}
	res, err := br.client.Do(req)
	br.b.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	br.b.must(err)
	doc, err := html.Parse(strings.NewReader(string(raw)))
	br.b.must(err)
	if odd := spacedDate.FindString(string(raw)); odd != "" {
		br.b.Errorf("%s has a space beside a Chinese date: %q", path, odd)
	}
	return page{br.b, res.StatusCode, res.Header, res.Request.URL.RequestURI(), doc, textOf(doc), string(raw)}
}

// want checks the status.
func (p page) want(status int) page {
	p.Helper()
	if p.status != status {
		p.Fatalf("%s: status %d, want %d: %s", p.path, p.status, status, p.text)
	}
	return p
}

// says checks that a person reads each of these texts.
func (p page) says(texts ...string) page {
	p.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			p.Errorf("%s does not say %q: %s", p.path, text, p.text)
		}
	}
	return p
}

// silent checks that a person reads none of these texts.
func (p page) silent(texts ...string) page {
	p.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) {
			p.Errorf("%s says %q", p.path, text)
		}
	}
	return p
}

// links checks that there are links to these addresses.
func (p page) links(urls ...string) page {
	p.Helper()
	for _, u := range urls {
		if !p.linksTo(u) {
			p.Errorf("%s has no link to %s", p.path, u)
		}
	}
	return p
}

// lacks checks that there are no links to these addresses.
func (p page) lacks(urls ...string) page {
	p.Helper()
	for _, u := range urls {
		if p.linksTo(u) {
			p.Errorf("%s has a link to %s", p.path, u)
		}
	}
	return p
}

func (p page) linksTo(u string) bool {
	return len(p.all(func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == u })) > 0
}

// all are the elements that match.
func (p page) all(match func(n *html.Node) bool) (found []*html.Node) {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is the text of the content, without that of scripts and without the window's title, its white space folded.
func textOf(doc *html.Node) string {
	var words []string
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "title" && n.Parent.Data != "noscript" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}
