package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/config"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
)

// Both contacts of an account are verified over HTTP, in the account's language.
func TestVerifiesBothContacts(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			n := serve(t, settingsOn(t, engine))
			for _, c := range []speaker{
				{
					account: "blue-kiln", locale: "en-GB", country: "GB", email: "harriet@blue-kiln.example", phone: "+447400582934",
					subject: "confirm this address", html: `lang="en"`, text: "Do not tell anyone", problem: "no account with this id",
				},
				{
					account: "lotus-trading", locale: "zh-Hans-CN", country: "CN", email: "mei@lotus.example", phone: "+8613827194466",
					subject: "请确认此邮箱", html: `lang="zh-CN"`, text: "请勿告诉任何人", problem: "账户",
				},
			} {
				n.verifiesFor(c)
			}
		})
	}
}

// speaker is an account with what its messages must say.
type speaker struct {
	account, locale, country, email, phone string
	subject, html, text, problem           string
}

func (s *service) verifiesFor(c speaker) {
	s.Helper()
	s.put(c.account, object{"name": c.account, "locale": c.locale, "country": c.country},
		map[string]string{"email": c.email, "phone": c.phone})
	email, phone := s.start(c.account, "email"), s.start(c.account, "phone")
	mail, sms := s.message(c.email, 1), s.message(c.phone, 1)
	if !strings.Contains(mail.Subject, c.subject) || sixDigits.MatchString(mail.Subject) || !strings.Contains(mail.HTML, c.html) {
		s.Errorf("%s got a mail with the subject %q", c.account, mail.Subject)
	}
	if !strings.Contains(sms.Text, c.text) {
		s.Errorf("%s got the SMS %q", c.account, sms.Text)
	}
	code := sixDigits.FindString(sms.Text)
	lines := strings.Split(strings.TrimSpace(sms.Text), "\n")
	if last := lines[len(lines)-1]; c.country == "CN" && strings.Contains(sms.Text, "@") || c.country != "CN" && last != "@127.0.0.1 #"+code {
		s.Errorf("%s got an SMS that ends with %q", c.account, last)
	}
	s.refused("incorrect-code", http.MethodPost, checkPath(email), object{"code": wrong(sixDigits.FindString(mail.Text))})
	s.check(email, sixDigits.FindString(mail.Text))
	s.check(phone, code)
	for _, slot := range []string{"email", "phone"} {
		if state := s.contact(c.account, slot)["state"]; state != "verified" {
			s.Errorf("%s of %s is %v", slot, c.account, state)
		}
	}
	p := s.refused("unknown-account", http.MethodGet, accountPath("nobody"), nil, "Accept-Language", c.locale)
	if !strings.Contains(p.text("detail"), c.problem) {
		s.Errorf("in %s the problem is %q", c.locale, p.text("detail"))
	}
	s.eventually("the event of both verifications", func() bool {
		return countOf(s.events(c.account), "contact.verified") == 2 && countOf(s.events(c.account), "delivery.accepted") == 2
	})
}

func countOf(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// Two nodes on one database are one service: what was spent on one is spent on the other.
func TestSecondNodeSharesLimits(t *testing.T) {
	s := settingsOn(t, store.PostgreSQL)
	s.Verify.SlotDaily = 3
	clock := apptest.NewClock(time.Now())
	first := serve(t, s, at(clock))
	keyset, err := os.ReadFile(filepath.Join(s.Data, "keys", "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	s.Data, s.Keyset = filepath.Join(t.TempDir(), "other"), string(keyset)
	second := newService(t, s, at(clock))
	if err := second.main.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.key = first.key // made on one, known on both

	first.put("shared", object{"name": "Shared"}, map[string]string{"email": "shared@example.com"})
	id := first.start("shared", "email")
	starts := contactPath("shared", "email") + "/verifications"
	if r := second.refused("resend-too-soon", http.MethodPost, starts, object{"method": "code"}); r.header.Get("Retry-After") != "30" {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	code := codeOnEither("shared@example.com", first, second)
	for i, node := range []*service{first, second, first, second, first} {
		r := node.refused("incorrect-code", http.MethodPost, checkPath(id), object{"code": wrong(code)})
		if left := r.body["guesses_left"]; left != float64(4-i) {
			t.Errorf("after wrong guess %d there are %v left", i+1, left)
		}
	}
	second.refused("too-many-guesses", http.MethodPost, checkPath(id), object{"code": code})
	clock.Advance(time.Hour)
	second.start("shared", "email")
	clock.Advance(time.Hour)
	first.start("shared", "email")
	clock.Advance(time.Hour)
	if r := second.refused("too-many-messages", http.MethodPost, starts, object{"method": "code"}); r.header.Get("Retry-After") == "" {
		t.Error("the day's limit does not say when it ends")
	}
	second.must(http.StatusNoContent, http.MethodDelete, accountPath("shared"), nil)
	first.refused("unknown-account", http.MethodGet, accountPath("shared"), nil)
}

// codeOnEither reads a code from the outbox of whichever node sent it.
func codeOnEither(to string, nodes ...*service) (code string) {
	nodes[0].eventually("a message on either node", func() bool {
		for _, n := range nodes {
			if all := n.messages(to); len(all) > 0 {
				code = sixDigits.FindString(all[0].Text)
			}
		}
		return code != ""
	})
	return code
}

var readiness = regexp.MustCompile(`(?m)^listening on (http://127\.0\.0\.1:[0-9]+)$`)

// commandLine runs `serve` as a person does, until stop is called, which returns its exit status.
func commandLine(t *testing.T, s config.Settings) (out, errs *transcript, stop func() int) {
	t.Helper()
	out, errs = newTranscript(), newTranscript()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	args := append([]string{"serve", "--listen", s.Listen}, dataFlags(s)...)
	go func() { ended <- run(ctx, args, quiet(out, errs)) }()
	return out, errs, func() int {
		cancel()
		select {
		case code := <-ended:
			return code
		case <-time.After(patience):
			t.Fatal("serve did not end")
			return -1
		}
	}
}

func TestServeSaysWhenItIsReady(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			s := settingsOn(t, engine)
			out, errs, stop := commandLine(t, s)
			url := out.await(t, readiness)[1]
			for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 401, "/v1/openapi.json": 200, "/outbox.json": 401} {
				r, err := client.Get(url + path)
				if err != nil {
					t.Fatal(err)
				}
				if r.Body.Close(); r.StatusCode != want {
					t.Errorf("%s answers %d, want %d", path, r.StatusCode, want)
				}
			}
			if code := stop(); code != exitDone {
				t.Errorf("it ended with %d: %s", code, errs)
			}
			if text := out.String(); text != "listening on "+url+"\n" {
				t.Errorf("standard output is %q", text)
			}
			if !strings.Contains(errs.String(), filepath.Join(s.Data, "keys")) {
				t.Error("the first start does not say that the keys need a backup of their own")
			}
			if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
				c.Close()
				t.Error("it still listens")
			}
		})
	}
}

func TestOneServiceForOneEmbeddedDatabase(t *testing.T) {
	s := settingsOn(t, store.SQLite)
	first := serve(t, s)
	_, errs, code := command(t.Context(), s, "serve", "--listen", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(errs, "[data-in-use]") || !strings.Contains(errs, i18n.Text(i18n.En, "fault.data-in-use")) {
		t.Errorf("a second service on the directory ended with %d: %s", code, errs)
	}
	first.must(http.StatusOK, http.MethodGet, "/readyz", nil)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	serve(t, s).must(http.StatusOK, http.MethodGet, "/readyz", nil)
}

// A service that is told to end finishes the request and the message that are under way.
func TestCloseFinishesWhatIsUnderWay(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			sink := apptest.NewSink(t, apptest.SinkOptions{})
			release := make(chan struct{})
			sink.Fail(apptest.Failure{At: apptest.AtData, Hold: release, Times: 1})
			s := settingsOn(t, engine)
			s.SMTP.URL, s.Mail.From = sink.URL(), "contacts@harbourline.example"
			n := serve(t, s)
			n.put("slow", object{"name": "Slow"}, map[string]string{"email": "slow@example.com"})
			n.start("slow", "email")
			<-sink.Held()
			r := n.halfRequest(http.MethodPut, accountPath("late"), `{"name":"Late"}`)

			closed := make(chan error, 1)
			go func() { closed <- n.stop() }()
			n.eventually("an end of new connections", func() bool {
				c, err := net.Dial("tcp", strings.TrimPrefix(n.main.URL(), "http://"))
				if err == nil {
					c.Close()
				}
				return err != nil
			})
			select {
			case err := <-closed:
				t.Fatalf("it closed while a request was under way: %v", err)
			default:
			}
			if status := r.finish(); status != http.StatusCreated {
				t.Errorf("the request that was under way got %d", status)
			}
			close(release)
			select {
			case err := <-closed:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Fatal("it did not close")
			}
			again := serve(t, s)
			again.must(http.StatusOK, http.MethodGet, accountPath("late"), nil)
			again.wasAccepted("slow")
			if sink.Count() != 1 {
				t.Errorf("the message left %d times", sink.Count())
			}
		})
	}
}

// halfSent is a request of which the service has all but the last byte.
type halfSent struct {
	*testing.T
	conn net.Conn
	rest string
}

func (s *service) halfRequest(method, path, body string) halfSent {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.main.URL(), "http://"))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	cut := len(body) - 1
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		method, path, conn.RemoteAddr(), s.key, len(body))
	if err == nil {
		err = awaitContinue(conn)
	}
	if err == nil {
		_, err = io.WriteString(conn, body[:cut])
	}
	if err != nil {
		s.Fatal(err)
	}
	return halfSent{s.T, conn, body[cut:]}
}

// awaitContinue returns once a handler reads the body, so that the request is under way for certain.
func awaitContinue(conn net.Conn) error {
	want := []byte("HTTP/1.1 100 Continue\r\n\r\n")
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the service answered %q", got)
	}
	return nil
}

func (h halfSent) finish() (status int) {
	h.Helper()
	if _, err := io.WriteString(h.conn, h.rest); err != nil {
		h.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(h.conn), nil)
	if err != nil {
		h.Fatal(err)
	}
	defer r.Body.Close()
	return r.StatusCode
}

// wasAccepted says that an account's only message was recorded as taken.
func (s *service) wasAccepted(account string) {
	s.Helper()
	for _, r := range tables(s, s.main.Settings)["delivery"] {
		if r.text("account_id") == account && r.text("state") != string(deliver.StateAccepted) {
			s.Errorf("the message under way was left %s", r.text("state"))
		}
	}
}

// A database is never opened with keys that are not its own.
func TestKeysMustFit(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			s := settingsOn(t, engine)
			createKey(t, s)
			file := filepath.Join(s.Data, "keys", "keyset.json")
			right, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			other := settingsOn(t, store.SQLite)
			createKey(t, other)
			wrong, err := os.ReadFile(filepath.Join(other.Data, "keys", "keyset.json"))
			if err != nil {
				t.Fatal(err)
			}

			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			refusesToServe(t, s, "keyset-missing", file)
			if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				t.Error("it made new keys for a database that has others")
			}
			if err := os.WriteFile(file, wrong, 0o600); err != nil {
				t.Fatal(err)
			}
			refusesToServe(t, s, "keyset-wrong", file)
			if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, wrong) {
				t.Errorf("it changed the keys: %v", err)
			}
			if err := os.WriteFile(file, right, 0o600); err != nil {
				t.Fatal(err)
			}
			serve(t, s).must(http.StatusOK, http.MethodGet, "/readyz", nil)
		})
	}
}

// refusesToServe says what to do, in the terminal's language.
func refusesToServe(t *testing.T, s config.Settings, id string, args ...any) {
	t.Helper()
	for lang, locale := range map[string]i18n.Locale{"C.UTF-8": i18n.En, "zh_CN.UTF-8": i18n.Zh} {
		var out, errs bytes.Buffer
		term := quiet(&out, &errs)
		term.getenv = func(name string) string {
			if name == "LANG" {
				return lang
			}
			return ""
		}
		code := run(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0"}, dataFlags(s)...), term)
		want := i18n.Text(locale, "fault."+id, args...)
		if code != exitFailed || !strings.Contains(errs.String(), want) || !strings.Contains(errs.String(), "["+id+"]") {
			t.Errorf("it ended with %d and said %q, want %q", code, errs.String(), want)
		}
		if out.Len() > 0 {
			t.Errorf("standard output is %q", out.String())
		}
	}
}

func TestRefusesNewerDatabase(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			s := settingsOn(t, engine)
			createKey(t, s)
			write(t, direct(t, s), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
			refusesToServe(t, s, "database-newer", 99999)
			m := newService(t, s).main
			if err := m.Run(t.Context()); !fault.Is(err, "database-newer") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Settings with which no message can leave are refused before the database is made.
func TestRefusesToServeWithoutAWayOut(t *testing.T) {
	s := settingsOn(t, store.SQLite)
	_, errs, code := command(t.Context(), s, "serve", "--listen", "127.0.0.1:0", "--public-url", "https://contacts.example.com")
	if code != exitFailed || !strings.Contains(errs, "[no-mail-server]") {
		t.Errorf("it ended with %d: %s", code, errs)
	}
	if _, err := os.Stat(databaseFile(s)); err == nil {
		t.Error("it made a database all the same")
	}
}

// Beside a real channel there is no outbox, and a method without a provider is refused.
func TestRealChannelHasNoOutbox(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	s := settingsOn(t, store.SQLite)
	s.SMTP.URL, s.Mail.From = sink.URL(), "contacts@harbourline.example"
	n := serve(t, s)
	n.put("a-1", object{"name": "Ann", "country": "GB"}, map[string]string{"email": "ann@example.com", "phone": "07400 582934"})
	n.refused("not-found", http.MethodGet, "/outbox.json", nil)
	n.refused("not-found", http.MethodGet, "/outbox", nil)
	n.refused("channel-unavailable", http.MethodPost, contactPath("a-1", "phone")+"/verifications", object{"method": "sms"})
	n.check(n.start("a-1", "email"), letterTo(t, sink, "ann@example.com").code(t))
	n.eventually("the verified contact in the feed", func() bool { return slices.Contains(n.events("a-1"), "contact.verified") })
}
