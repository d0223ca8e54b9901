package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/config"
	"countersign.dev/base/store"
	"countersign.dev/channel/outbox"
)

// patience bounds every wait for something that happens by itself.
const patience = 30 * time.Second

var engines = []store.Engine{store.SQLite, store.PostgreSQL}

// settingsOn are those of a new installation on an engine: in outbox mode, on a free port, with everything logged.
func settingsOn(t testing.TB, engine store.Engine) config.Settings {
	t.Helper()
	s := config.Default()
	s.Data, s.Listen = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0"
	s.Operator.Name = "Harbourline"
	s.Log.Level = "debug"
	if engine == store.PostgreSQL {
		s.DatabaseURL = apptest.PostgresURL(t)
	}
	return s
}

// service is the running program, with an integrator who may do everything and talks to it over HTTP.
type service struct {
	*testing.T
	main *Main
	key  string
	log  *transcript
	stop func() error // closes the program; again it does nothing
}

// serve runs the program until the test ends.
func serve(t *testing.T, s config.Settings, more ...func(*Main)) *service {
	t.Helper()
	node := newService(t, s, more...)
	if err := node.main.Run(t.Context()); err != nil {
		t.Fatalf("the program did not start: %v", err)
	}
	node.key = createKey(t, s)
	return node
}

// newService makes the program without running it.
func newService(t *testing.T, s config.Settings, more ...func(*Main)) *service {
	log := newTranscript()
	m := &Main{Settings: s, Terminal: quiet(log, log)}
	for _, change := range more {
		change(m)
	}
	node := &service{T: t, main: m, log: log, stop: sync.OnceValue(m.Close)}
	t.Cleanup(func() {
		if err := node.stop(); err != nil {
			t.Errorf("the program did not close: %v", err)
		}
		if t.Failed() {
			t.Logf("the program said:\n%s", log)
		}
	})
	return node
}

// at makes the program's time that of a clock.
func at(c *apptest.Clock) func(*Main) { return func(m *Main) { m.Now = c.Now } }

// quiet is a terminal without a person and without environment.
func quiet(out, err io.Writer) terminal {
	return terminal{in: strings.NewReader(""), out: out, err: err, getenv: func(string) string { return "" }}
}

// command runs one command line on the data that the settings name.
func command(ctx context.Context, s config.Settings, args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = run(ctx, append(args, dataFlags(s)...), quiet(&out, &err))
	return out.String(), err.String(), code
}

func dataFlags(s config.Settings) []string {
	flags := []string{"--data", s.Data}
	if s.DatabaseURL != "" {
		flags = append(flags, "--database", s.DatabaseURL)
	}
	return flags
}

func createKey(t testing.TB, s config.Settings) string {
	t.Helper()
	out, errs, code := command(t.Context(), s, "key", "create", "--name", "integrator", "--scope", "all")
	if code != exitDone {
		t.Fatalf("key create: exit %d: %s", code, errs)
	}
	return strings.TrimSpace(out)
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any // of a JSON object
}

// text is a field of the body, "" when it is no text.
func (r reply) text(field string) string {
	s, _ := r.body[field].(string)
	return s
}

// problem is the id of the problem that was answered.
func (r reply) problem() string {
	return r.text("type")[strings.LastIndexByte(r.text("type"), '/')+1:]
}

var client = &http.Client{
	Timeout:   patience,
	Transport: &http.Transport{MaxIdleConnsPerHost: 32},
}

// object is the body of a request.
type object map[string]any

// call makes a request; header names and values follow in pairs.
func (s *service) call(method, path string, in any, header ...string) reply {
	s.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			s.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(s.Context(), method, s.main.URL()+path, body)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return s.do(r)
}

func (s *service) do(r *http.Request) reply {
	s.Helper()
	answer, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	got := reply{status: answer.StatusCode, header: answer.Header, raw: raw}
	_ = json.Unmarshal(raw, &got.body) // not every answer is an object
	return got
}

// must makes a request that is answered with this status.
func (s *service) must(status int, method, path string, in any, header ...string) reply {
	s.Helper()
	r := s.call(method, path, in, header...)
	if r.status != status {
		s.Fatalf("%s %s: got %d, want %d: %s", method, path, r.status, status, r.raw)
	}
	return r
}

// refused makes a request that is answered with this problem.
func (s *service) refused(problem, method, path string, in any, header ...string) reply {
	s.Helper()
	r := s.call(method, path, in, header...)
	if r.status < 400 || r.problem() != problem {
		s.Fatalf("%s %s: got %d, want the problem %s: %s", method, path, r.status, problem, r.raw)
	}
	return r
}

func accountPath(account string) string { return "/v1/accounts/" + account }

func contactPath(account, slot string) string { return accountPath(account) + "/contacts/" + slot }

// put makes an account with contacts by slot.
func (s *service) put(account string, in object, contacts map[string]string) {
	s.Helper()
	s.must(http.StatusCreated, http.MethodPut, accountPath(account), in)
	for slot, value := range contacts {
		s.must(http.StatusOK, http.MethodPut, contactPath(account, slot), object{"value": value})
	}
}

// start begins a verification and returns its id.
func (s *service) start(account, slot string) string {
	s.Helper()
	method := "code"
	if strings.HasPrefix(slot, "phone") {
		method = "sms"
	}
	return s.must(http.StatusCreated, http.MethodPost, contactPath(account, slot)+"/verifications", object{"method": method}).text("id")
}

func checkPath(verification string) string { return "/v1/verifications/" + verification + "/check" }

// check gives the right code.
func (s *service) check(verification, code string) {
	s.Helper()
	if state := s.must(http.StatusOK, http.MethodPost, checkPath(verification), object{"code": code}).text("state"); state != "verified" {
		s.Fatalf("the right code left the verification %s", state)
	}
}

// contact returns what the API says of one contact; nil when the slot is empty.
func (s *service) contact(account, slot string) map[string]any {
	s.Helper()
	all, _ := s.must(http.StatusOK, http.MethodGet, accountPath(account)+"/contacts", nil).body["contacts"].([]any)
	for _, one := range all {
		if c, ok := one.(map[string]any); ok && c["slot"] == slot {
			return c
		}
	}
	return nil
}

// messages are those in the outbox to one address, newest first.
func (s *service) messages(to string) (found []outbox.Message) {
	s.Helper()
	var all []outbox.Message
	if err := json.Unmarshal(s.must(http.StatusOK, http.MethodGet, "/outbox.json", nil).raw, &all); err != nil {
		s.Fatal(err)
	}
	for _, m := range all {
		if m.To == to {
			found = append(found, m)
		}
	}
	return found
}

// message waits for the n-th message to an address.
func (s *service) message(to string, n int) (m outbox.Message) {
	s.Helper()
	s.eventually("a message in the outbox", func() bool {
		all := s.messages(to)
		if len(all) >= n {
			m = all[len(all)-n]
		}
		return len(all) >= n
	})
	return m
}

// wrong is a code that is not the given one.
func wrong(code string) string {
	if code == "271828" {
		return "314159"
	}
	return "271828"
}

// events are the types of what happened to an account, oldest first.
func (s *service) events(account string) (types []string) {
	s.Helper()
	for _, e := range s.feed() {
		if e["account"] == account {
			types = append(types, e["type"].(string))
		}
	}
	return types
}

// feed reads the whole feed.
func (s *service) feed() (events []map[string]any) {
	s.Helper()
	for after := "0"; ; {
		page := s.must(http.StatusOK, http.MethodGet, "/v1/events?page_size=200&after="+after, nil)
		list, _ := page.body["events"].([]any)
		for _, e := range list {
			events = append(events, e.(map[string]any))
		}
		if len(list) == 0 {
			return events
		}
		after = page.text("next_after")
	}
}

// eventually asks until the answer is yes.
func (s *service) eventually(what string, done func() bool) {
	s.Helper()
	eventually(s.T, what, done)
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("there was never %s", what)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// transcript is what the program wrote. It is safe for concurrent use.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed by the next write
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.more)
	w.more = make(chan struct{})
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// await returns the first match of a pattern once there is one.
func (w *transcript) await(t testing.TB, pattern *regexp.Regexp) []string {
	t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		found, more := pattern.FindStringSubmatch(w.text.String()), w.more
		w.mu.Unlock()
		if found != nil {
			return found
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("the program never wrote %s; it wrote:\n%s", pattern, w)
		}
	}
}
