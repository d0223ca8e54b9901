package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/outbox"
	"countersign.dev/contact"
	"countersign.dev/face/api"
	"countersign.dev/face/web"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

const publicURL = "https://contacts.example.com"

// bundle is the API over real features, one database and an outbox, served over HTTP.
type bundle struct {
	testing.TB
	ctx      context.Context
	db       *store.DB
	clock    *apptest.Clock
	box      *outbox.Outbox
	auth     *auth.Auth
	sessions *auth.Sessions
	options  api.Options
	server   *api.Server
	handler  http.Handler
	metrics  *api.Metrics
	doc      *huma.OpenAPI
	events   *event.Dispatcher
	url      string
	key      string // of scope all
	taken    int    // messages that code has read
	seen     *strings.Builder
}

// onBoth runs body on both engines, on a clock that stands.
func onBoth(t *testing.T, body func(b *bundle)) {
	t.Helper()
	clock := apptest.NewClock(time.Date(2026, 3, 3, 9, 30, 0, 0, time.UTC))
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) { body(setup(t, db, clock)) })
}

func setup(t testing.TB, db *store.DB, clock *apptest.Clock) *bundle {
	t.Helper()
	if clock == nil {
		clock = apptest.NewClock(time.Now())
	}
	b := &bundle{TB: t, ctx: t.Context(), db: db, clock: clock, box: outbox.New(), seen: &strings.Builder{}}
	keys, _, err := seal.Attach(b.ctx, db, seal.Options{Dir: filepath.Join(t.TempDir(), "keys")})
	b.must(err)
	b.auth = auth.New(auth.Options{DB: db, Keys: keys})
	accounts := account.New(account.Options{Keys: keys, Erase: []func(context.Context, *store.Tx, string) error{
		contact.Erase, all(auth.EraseSessions), all(verify.Erase), all(notice.Erase), all(deliver.Erase),
	}})
	contacts := contact.New(contact.Options{Keys: keys, Accounts: accounts})
	queue := deliver.New(deliver.Options{DB: db, Senders: map[string]deliver.Sender{deliver.Email: b.box, deliver.SMS: b.box}})
	notices := notice.New(notice.Options{Keys: keys, Queue: queue, Platform: "Harbourline", Host: "contacts.example.com", Origin: publicURL, Accent: "#0b7a75"})
	queue.Composes(notices.Compose)
	b.must(notices.Install(b.ctx, db))
	verifier := verify.New(verify.Options{
		DB: db, Keys: keys, Contacts: contacts, Notices: notices, HasRoute: queue.Has, Limits: verify.Default(),
	})
	b.events = event.NewDispatcher(event.Options{DB: db, Holder: "test"})
	b.metrics = api.NewMetrics(api.MetricsOptions{Backlog: func(context.Context) (int, time.Time, error) {
		return 3, clock.Now().Add(-time.Minute), nil
	}, Now: clock.Now})
	urls, err := auth.ParseReturnURLs([]string{"https://www.example.com/settings"})
	b.must(err)
	b.sessions = auth.NewSessions(auth.SessionsOptions{DB: db, Keys: keys, ReturnURLs: urls})
	b.options = api.Options{
		DB: db, Keys: keys, Auth: b.auth, Sessions: b.sessions, Accounts: accounts, Contacts: contacts, Verifier: verifier,
		PublicURL: publicURL, Metrics: b.metrics, Version: "0.0.0-test",
	}
	b.server = api.NewServer(b.options)
	b.doc = b.server.OpenAPI()
	b.handler = web.Wrap(b.server.Handler(), web.Options{Observe: b.metrics.Observe})
	b.key = b.newKey(nil, auth.All)
	b.start(queue)
	return b
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

// serveInstead has the requests that follow answered by another API.
func (b *bundle) serveInstead(h http.Handler) {
	srv := httptest.NewServer(web.Wrap(h, web.Options{}))
	b.Cleanup(srv.Close)
	b.url = srv.URL
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) newKey(expires *time.Time, scopes ...auth.Scope) (secret string) {
	b.Helper()
	secret, _ = b.newKeyID(expires, scopes...)
	return secret
}

func (b *bundle) newKeyID(expires *time.Time, scopes ...auth.Scope) (secret, id string) {
	b.Helper()
	b.must(b.db.Write(b.ctx, func(tx *store.Tx) (err error) {
		secret, id, err = b.auth.Create(b.ctx, tx, "test", scopes, expires, event.CLI)
		return err
	}))
	return secret, id
}

// request is one call; the zero values are those of a call with the bundle's key and no body.
type request struct {
	method, path string
	body         any // a string goes out as it is, anything else as JSON
	key          string
	header       map[string]string
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
	doc    map[string]any
}

// id is the problem's.
func (r reply) id() string {
	t, _ := r.doc["type"].(string)
	return strings.TrimPrefix(t, web.TypeBase)
}

func (b *bundle) http(r request) *http.Request {
	b.Helper()
	var body io.Reader
	switch v := r.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(v)
	default:
		raw, err := json.Marshal(v)
		b.must(err)
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(b.ctx, r.method, b.url+r.path, body)
	b.must(err)
	if r.key == "" {
		r.key = b.key
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		if req.Header.Set(name, value); value == "" {
			req.Header.Del(name)
		}
	}
	return req
}

// do sends a request and holds the answer to the document.
func (b *bundle) do(r request) reply {
	b.Helper()
	res, err := http.DefaultClient.Do(b.http(r))
	b.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	b.must(err)
	return b.read(r, res, raw)
}

func (b *bundle) read(r request, res *http.Response, raw []byte) reply {
	b.Helper()
	out := reply{status: res.StatusCode, header: res.Header, text: string(raw)}
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		b.must(json.Unmarshal(raw, &out.doc))
	}
	fmt.Fprintln(b.seen, res.Header, out.text)
	b.inDocument(r, out)
	return out
}

// inDocument fails when the OpenAPI document does not have the answer's status, or the problem's id there.
func (b *bundle) inDocument(r request, out reply) {
	b.Helper()
	op := b.operation(r.method, strings.SplitN(r.path, "?", 2)[0])
	if op == nil {
		return
	}
	documented := op.Responses[strconv.Itoa(out.status)]
	if documented == nil {
		b.Errorf("%s answers %d %s, which is not in the document", op.OperationID, out.status, out.id())
		return
	}
	if ids, _ := documented.Extensions["x-problems"].([]string); out.status >= 400 && !slices.Contains(ids, out.id()) {
		b.Errorf("%s answers %d %s; the document has %v", op.OperationID, out.status, out.id(), ids)
	}
}

// operation finds what the document says of a request; nil for one that no route takes.
func (b *bundle) operation(method, path string) *huma.Operation {
	for pattern, item := range b.doc.Paths {
		if matches(strings.Split(pattern, "/"), strings.Split(path, "/")) {
			return map[string]*huma.Operation{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "DELETE": item.Delete}[method]
		}
	}
	return nil
}

func matches(pattern, path []string) bool {
	return slices.EqualFunc(pattern, path, func(want, got string) bool { return want == got || want != "" && want[0] == '{' })
}

// want sends a request that must be answered with this status, and for a problem with this id.
func (b *bundle) want(status int, id string, r request) reply {
	b.Helper()
	out := b.do(r)
	if out.status != status || out.id() != id {
		b.Fatalf("%s %s: %d %s, want %d %s: %s", r.method, r.path, out.status, out.id(), status, id, out.text)
	}
	return out
}

func (b *bundle) get(path string) reply {
	b.Helper()
	return b.want(200, "", request{method: "GET", path: path})
}

// account makes an account with two contacts.
func (b *bundle) account(id string) {
	b.Helper()
	b.want(201, "", request{method: "PUT", path: "/v1/accounts/" + id, body: map[string]any{
		"name": "Li Mei", "locale": "en", "time_zone": "Asia/Shanghai", "country": "GB", "mailbox": "shop@example.com",
	}})
	b.want(200, "", request{method: "PUT", path: "/v1/accounts/" + id + "/contacts/email", body: map[string]any{"value": "mei@example.com"}})
	b.want(200, "", request{method: "PUT", path: "/v1/accounts/" + id + "/contacts/phone", body: map[string]any{"value": "+86 138 0013 8000"}})
}

// begin starts a verification and returns its id and the code that was sent.
func (b *bundle) begin(accountID, slot, method string) (id, code string) {
	b.Helper()
	out := b.want(201, "", request{
		method: "POST", path: "/v1/accounts/" + accountID + "/contacts/" + slot + "/verifications", body: map[string]any{"method": method},
	})
	id, _ = out.doc["id"].(string)
	return id, b.code()
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code waits for the next message and returns the code in it.
func (b *bundle) code() string {
	b.Helper()
	b.taken++
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	b.must(b.box.Wait(ctx, b.taken))
	all := b.box.Messages()
	code := sixDigits.FindString(all[len(all)-b.taken].Text)
	if code == "" {
		b.Fatal("no code in the message")
	}
	return code
}

// beginAgain starts a verification of the address, whatever messages came before.
func (b *bundle) beginAgain(accountID string) (id, code string) {
	b.Helper()
	b.settled()
	b.taken = len(b.box.Messages())
	return b.begin(accountID, "email", "code")
}

// settled returns when every message has left.
func (b *bundle) settled() {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	var messages int
	b.must(b.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, "SELECT COUNT(*) FROM delivery").Scan(&messages)
	}))
	b.must(b.box.Wait(ctx, messages))
}

// anotherNode is a second process over the same database.
func (b *bundle) anotherNode() http.Handler {
	b.Helper()
	o := b.options
	o.Auth = auth.New(auth.Options{DB: b.db, Keys: o.Keys})
	o.Metrics = nil
	return web.Wrap(api.New(o), web.Options{})
}

// other is a code that is not this one.
func other(code string) string {
	if code == "111111" {
		return "222222"
	}
	return "111111"
}

func (b *bundle) check(id, code string) request {
	return request{method: "POST", path: "/v1/verifications/" + id + "/check", body: map[string]any{"code": code}}
}

// with adds a header.
func (r request) with(name, value string) request {
	header := map[string]string{name: value}
	for n, v := range r.header {
		header[n] = v
	}
	r.header = header
	return r
}

// all has a feature erase everything that it keeps of an account.
func all(erase func(context.Context, *store.Tx, string, time.Time) error) func(context.Context, *store.Tx, string) error {
	return func(ctx context.Context, tx *store.Tx, id string) error {
		return erase(ctx, tx, id, time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC))
	}
}
