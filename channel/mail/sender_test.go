package mail

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/apptest"
	"countersign.dev/base/fault"
	"countersign.dev/channel/deliver"
)

func TestSendDelivers(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	s := newSender(t, options(t, sink.URL()))
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Accepted || r.Code != 250 {
		t.Fatalf("%+v", r)
	}
	got, err := sink.Wait(bounded(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	mail := got[0]
	if id, ok := s.ParseBounce(mail.From); !ok || id != deliveryID {
		t.Errorf("envelope sender %s", mail.From)
	}
	if diff := cmp.Diff([]string{"li@example.com"}, mail.To); diff != "" {
		t.Error(diff)
	}
	if mail.Helo != "harbour.test" || mail.UTF8 || mail.TLS {
		t.Errorf("%+v", mail)
	}
}

func TestContentArrivesAsComposed(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	o := options(t, sink.URL())
	o.Now = func() time.Time { return composeTime }
	s := newSender(t, o)
	m := message("li@example.com")
	m.Text = ".\n..\n.a\n" + strings.Repeat("x", 75) + ".b\n"
	if r := s.Send(bounded(t), m); r.Outcome != deliver.Accepted {
		t.Fatalf("%+v", r)
	}
	if got := sink.Mails()[0].Data; !bytes.Equal(got, compose(m, s.from, s.domain, composeTime)) {
		t.Errorf("arrived as\n%s", got)
	}
}

func TestAnswers(t *testing.T) {
	refused := func(code int, enhanced string, recipient bool) deliver.Result {
		return deliver.Result{Outcome: deliver.Refused, Code: code, Enhanced: enhanced, Words: "no <li@example.com>", Recipient: recipient}
	}
	retry := func(code int, enhanced string) deliver.Result {
		return deliver.Result{Outcome: deliver.Retry, Code: code, Enhanced: enhanced, Words: "no <li@example.com>"}
	}
	for _, tc := range []struct {
		at       apptest.Stage
		code     int
		enhanced string
		want     deliver.Result
	}{
		{apptest.AtMail, 550, "5.7.1", refused(550, "5.7.1", false)},
		{apptest.AtMail, 550, "5.1.1", refused(550, "5.1.1", false)}, // it cannot know the recipient yet
		{apptest.AtMail, 451, "4.3.0", retry(451, "4.3.0")},
		{apptest.AtRcpt, 550, "5.1.1", refused(550, "5.1.1", true)},
		{apptest.AtRcpt, 550, "5.1.2", refused(550, "5.1.2", true)},
		{apptest.AtRcpt, 550, "5.1.6", refused(550, "5.1.6", true)},
		{apptest.AtRcpt, 556, "5.1.10", refused(556, "5.1.10", true)},
		{apptest.AtRcpt, 550, "5.1.0", refused(550, "5.1.0", false)}, // may name the sender
		{apptest.AtRcpt, 550, "5.1.8", refused(550, "5.1.8", false)}, // names the sender
		{apptest.AtRcpt, 550, "5.7.1", refused(550, "5.7.1", false)},
		{apptest.AtRcpt, 552, "5.2.2", refused(552, "5.2.2", false)},
		{apptest.AtRcpt, 450, "4.2.0", retry(450, "4.2.0")},
		{apptest.AtRcpt, 452, "4.2.2", retry(452, "4.2.2")},
		{apptest.AtRcpt, 450, "4.1.1", retry(450, "4.1.1")},
		{apptest.AtData, 554, "5.7.1", refused(554, "5.7.1", false)},
		{apptest.AtData, 451, "4.7.1", retry(451, "4.7.1")},
	} {
		t.Run(fmt.Sprintf("%d at %d", tc.code, tc.at), func(t *testing.T) {
			sink := apptest.NewSink(t, apptest.SinkOptions{})
			s := newSender(t, options(t, sink.URL()))
			sink.Fail(apptest.Failure{At: tc.at, Code: tc.code, Enhanced: tc.enhanced, Text: "no <li@example.com>", Times: 1})
			if diff := cmp.Diff(tc.want, s.Send(bounded(t), message("li@example.com"))); diff != "" {
				t.Error(diff)
			}
			// The connection goes on, and the failed transaction leaves nothing behind.
			if r := s.Send(bounded(t), message("wang@example.com")); r.Outcome != deliver.Accepted {
				t.Fatalf("%+v", r)
			}
			if diff := cmp.Diff([]string{"wang@example.com"}, sink.Mails()[0].To); diff != "" {
				t.Error(diff)
			}
			if opened, _ := sink.Connections(); opened != 1 {
				t.Errorf("%d connections", opened)
			}
		})
	}
}

func TestGreylistedThenAccepted(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{Greylist: true})
	s := newSender(t, options(t, sink.URL()))
	first := s.Send(bounded(t), message("li@example.com"))
	second := s.Send(bounded(t), message("li@example.com"))
	if first.Outcome != deliver.Retry || first.Code != 451 || second.Outcome != deliver.Accepted {
		t.Errorf("%+v, then %+v", first, second)
	}
}

func TestLostConnectionIsReplacedOnce(t *testing.T) {
	for name, fail := range map[string]func(*apptest.Sink){
		"idle connection closed": func(s *apptest.Sink) { s.DropConnections() },
		"closed at MAIL":         func(s *apptest.Sink) { s.Fail(apptest.Failure{At: apptest.AtMail, Drop: true, Times: 1}) },
		"closed at RCPT":         func(s *apptest.Sink) { s.Fail(apptest.Failure{At: apptest.AtRcpt, Drop: true, Times: 1}) },
		"closed at DATA":         func(s *apptest.Sink) { s.Fail(apptest.Failure{At: apptest.AtData, Drop: true, Times: 1}) },
		"421 at MAIL": func(s *apptest.Sink) {
			s.Fail(apptest.Failure{At: apptest.AtMail, Code: 421, Enhanced: "4.3.2", Text: "closing", Times: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			sink := apptest.NewSink(t, apptest.SinkOptions{})
			s := newSender(t, options(t, sink.URL()))
			if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Accepted {
				t.Fatalf("%+v", r)
			}
			fail(sink)
			if r := s.Send(bounded(t), message("wang@example.com")); r.Outcome != deliver.Accepted {
				t.Fatalf("%+v", r)
			}
			if opened, _ := sink.Connections(); opened != 2 || sink.Count() != 2 {
				t.Errorf("%d connections, %d mails", opened, sink.Count())
			}
		})
	}
}

func TestLostConnectionsAreLeftToTheQueue(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	s := newSender(t, options(t, sink.URL()))
	sink.Fail(apptest.Failure{At: apptest.AtData, Drop: true})
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Retry || r.Code != 0 || r.Words == "" {
		t.Errorf("%+v", r)
	}
	sink.Heal()
	sink.Fail(apptest.Failure{At: apptest.AtRcpt, Code: 421, Enhanced: "4.3.2", Text: "closing"})
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Retry || r.Code != 421 {
		t.Errorf("%+v", r)
	}
	if opened, _ := sink.Connections(); opened != 4 {
		t.Errorf("%d connections", opened)
	}
}

func TestServerDown(t *testing.T) {
	sink, err := apptest.StartSink(t.TempDir(), apptest.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSender(t, options(t, sink.URL()))
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Retry || r.Words == "" {
		t.Errorf("%+v", r)
	}
}

func TestTLSPolicies(t *testing.T) {
	const retry, accepted = deliver.Retry, deliver.Accepted
	for _, tc := range []struct {
		name    string
		server  apptest.TLSMode
		query   string
		ca      bool
		outcome deliver.Outcome
		tls     bool
	}{
		{"loopback without TLS", apptest.NoTLS, "", false, accepted, false},
		{"loopback with a certificate of its own", apptest.StartTLS, "", false, accepted, true},
		{"opportunistic with a CA", apptest.StartTLS, "?starttls=opportunistic", true, accepted, true},
		{"never", apptest.StartTLS, "?starttls=never", false, accepted, false},
		{"always with a CA", apptest.StartTLS, "?starttls=always", true, accepted, true},
		{"always with an unknown CA", apptest.StartTLS, "?starttls=always", false, retry, false},
		{"always without STARTTLS", apptest.NoTLS, "?starttls=always", false, retry, false},
		{"implicit with a CA", apptest.ImplicitTLS, "", true, accepted, true},
		{"implicit with an unknown CA", apptest.ImplicitTLS, "", false, retry, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sink := apptest.NewSink(t, apptest.SinkOptions{TLS: tc.server})
			o := options(t, sink.URL()+tc.query)
			if tc.ca {
				o.CAFile = sink.CAFile()
			}
			if r := newSender(t, o).Send(bounded(t), message("li@example.com")); r.Outcome != tc.outcome {
				t.Fatalf("%+v", r)
			}
			if mails := sink.Mails(); tc.outcome == accepted && mails[0].TLS != tc.tls {
				t.Errorf("TLS: %v", mails[0].TLS)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	login := apptest.SinkOptions{TLS: apptest.StartTLS, User: "relay", Password: "canary pass"}
	sink := apptest.NewSink(t, login)
	if r := newSender(t, options(t, sink.URL())).Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Accepted {
		t.Fatalf("%+v", r)
	}
	if user := sink.Mails()[0].User; user != "relay" {
		t.Errorf("user %q", user)
	}

	o := options(t, strings.Replace(sink.URL(), "canary", "wrong", 1))
	if r := newSender(t, o).Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Retry || r.Code != 535 {
		t.Errorf("a wrong password: %+v", r)
	}
}

func TestAuthenticationByLogin(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{TLS: apptest.ImplicitTLS, User: "relay", Password: "p", LoginOnly: true})
	o := options(t, sink.URL())
	o.CAFile = sink.CAFile()
	if r := newSender(t, o).Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Accepted {
		t.Fatalf("%+v", r)
	}
}

func TestNoCredentialsWithoutTLS(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{User: "relay", Password: "p", InsecureAuth: true})
	r := newSender(t, options(t, sink.URL())).Send(bounded(t), message("li@example.com"))
	if r.Outcome != deliver.Retry || r.Words != errNoAuth.Error() || sink.Count() != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAddressOutsideASCII(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	if r := newSender(t, options(t, sink.URL())).Send(bounded(t), message("李@example.com")); r.Outcome != deliver.Accepted {
		t.Fatalf("%+v", r)
	}
	if mail := sink.Mails()[0]; !mail.UTF8 || mail.To[0] != "李@example.com" || !bytes.Contains(mail.Data, []byte("<李@example.com>")) {
		t.Errorf("%+v", mail)
	}

	old := apptest.NewSink(t, apptest.SinkOptions{ASCIIOnly: true})
	s := newSender(t, options(t, old.URL()))
	if r := s.Send(bounded(t), message("李@example.com")); r.Outcome != deliver.Refused || r.Words == "" || r.Recipient {
		t.Errorf("%+v", r)
	}
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Accepted {
		t.Errorf("%+v", r)
	}
}

func TestNothingBecomesACommand(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	s := newSender(t, options(t, sink.URL()))
	for _, to := range []string{
		"", "@example.com", "li@", "li", "li@example.com>\r\nRCPT TO:<x@evil.test", "li@example.com\nDATA", "li\x00@example.com",
		"li@example.com> SIZE=1", "<li@example.com", strings.Repeat("x", 250) + "@example.com", "\xff@example.com",
	} {
		if r := s.Send(bounded(t), message(to)); r.Outcome != deliver.Refused || r.Words != unsendable {
			t.Errorf("%q: %+v", to, r)
		}
	}
	for _, id := range []string{"", "A", "a b", "a\r\nRSET", strings.Repeat("a", 39)} {
		m := message("li@example.com")
		m.DeliveryID = id
		if r := s.Send(bounded(t), m); r.Outcome != deliver.Refused {
			t.Errorf("id %q: %+v", id, r)
		}
	}
	if opened, _ := sink.Connections(); opened != 0 {
		t.Errorf("%d connections", opened)
	}
}

func TestExpiredIsNotSent(t *testing.T) {
	clock := apptest.NewClock(composeTime)
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	o := options(t, sink.URL())
	o.Now = clock.Now
	s := newSender(t, o)
	m := message("li@example.com")
	m.ExpiresAt = composeTime.Add(time.Minute)
	if r := s.Send(bounded(t), m); r.Outcome != deliver.Accepted {
		t.Fatalf("%+v", r)
	}
	clock.Advance(time.Minute)
	if r := s.Send(bounded(t), m); r.Outcome != deliver.Retry || r.Words != expired || sink.Count() != 1 {
		t.Errorf("%+v", r)
	}
}

func TestManyMailsOverFewConnections(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	o := options(t, sink.URL())
	o.MaxConns, o.MaxPerConn = 4, 100
	s := newSender(t, o)
	var all sync.WaitGroup
	for worker := range 20 {
		all.Go(func() {
			for i := range 50 {
				m := message(fmt.Sprintf("li-%d-%d@example.com", worker, i))
				if r := s.Send(bounded(t), m); r.Outcome != deliver.Accepted {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, mail := range sink.Mails() {
		seen[mail.To[0]] = true
	}
	opened, peak := sink.Connections()
	if len(seen) != 1000 || sink.Count() != 1000 || opened < 10 || opened > 14 {
		t.Errorf("%d recipients, %d mails, %d connections", len(seen), sink.Count(), opened)
	}
	// The server sees the end of a connection a little later than we do.
	if peak > 2*o.MaxConns {
		t.Errorf("%d connections at once", peak)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	release := make(chan struct{})
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	sink.Fail(apptest.Failure{At: apptest.AtData, Hold: release, Times: 1})
	o := options(t, sink.URL())
	o.MaxConns = 1
	s := newSender(t, o)

	ctx, cancel := context.WithCancel(bounded(t))
	first := make(chan deliver.Result)
	go func() { first <- s.Send(ctx, message("li@example.com")) }()
	<-sink.Held()

	// While the only connection waits for an answer, another message waits for the connection.
	short, stop := context.WithTimeout(bounded(t), time.Millisecond)
	defer stop()
	if r := s.Send(short, message("wang@example.com")); r.Outcome != deliver.Retry || r.Words != context.DeadlineExceeded.Error() {
		t.Errorf("%+v", r)
	}
	cancel()
	if r := <-first; r.Outcome != deliver.Retry {
		t.Errorf("%+v", r)
	}
	close(release)
	if r := s.Send(bounded(t), message("wang@example.com")); r.Outcome != deliver.Accepted {
		t.Errorf("%+v", r)
	}
}

func TestSilentServerTimesOut(t *testing.T) {
	release := make(chan struct{})
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	t.Cleanup(func() { close(release) })
	sink.Fail(apptest.Failure{At: apptest.AtMail, Hold: release})
	o := options(t, sink.URL())
	o.Command = 20 * time.Millisecond
	if r := newSender(t, o).Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Retry {
		t.Errorf("%+v", r)
	}
	if opened, _ := sink.Connections(); opened != 1 {
		t.Errorf("%d connections: a timeout is not tried again at once", opened)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	o := options(t, sink.URL())
	o.Idle = time.Millisecond
	s := newSender(t, o)
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Accepted {
		t.Fatalf("%+v", r)
	}
	if err := sink.WaitIdle(bounded(t)); err != nil {
		t.Error(err)
	}
}

func TestClosedSenderSendsNothing(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	s := newSender(t, options(t, sink.URL()))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.Send(bounded(t), message("li@example.com")); r.Outcome != deliver.Retry || r.Words != errClosed.Error() {
		t.Errorf("%+v", r)
	}
}

func TestNewRefuses(t *testing.T) {
	good := options(t, "smtp://127.0.0.1:25")
	for id, change := range map[string]func(*Options){
		"smtp-url-host": func(o *Options) { o.Server = Server{} },
		"smtp-ca-file":  func(o *Options) { o.CAFile = t.TempDir() },
		"mail-from":     func(o *Options) { o.From.Address = "a\r\nBcc: x@y" },
		"mail-domain":   func(o *Options) { o.BounceDomain = "a b" },
		"dkim-domain":   func(o *Options) { o.DKIM = []DKIMKey{{Domain: "x.test", Selector: "s", Signer: ed25519Key()}} },
	} {
		o := good
		change(&o)
		if _, err := New(o); !fault.Is(err, id) {
			t.Errorf("%s: %v", id, err)
		}
	}
	good.MAC = nil
	if _, err := New(good); err == nil {
		t.Error("no MAC, no error")
	}
}
