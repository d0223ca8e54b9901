package apptest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// TLSMode says how a [Sink] offers TLS.
type TLSMode int

const (
	NoTLS       TLSMode = iota // clear text only
	StartTLS                   // STARTTLS is advertised
	ImplicitTLS                // TLS from the first byte, as on port 465
)

// SinkOptions are the ways in which a [Sink] can differ from a server that
// takes everything in clear text.
type SinkOptions struct {
	TLS            TLSMode
	User, Password string // AUTH PLAIN and LOGIN are offered, and MAIL without it is refused with 530 5.7.0
	LoginOnly      bool   // AUTH PLAIN is not offered
	InsecureAuth   bool   // AUTH is offered without TLS too
	ASCIIOnly      bool   // SMTPUTF8 is not advertised
	Greylist       bool   // the first message to each recipient is deferred with 451 4.7.1
	CountOnly      bool   // mails are counted and dropped, for benchmarks in constant memory

	// Each, if set, is given every mail before it is answered with 250; Mails has
	// none of them.
	Each func(Mail)
}

// Mail is a message that a [Sink] took with 250.
type Mail struct {
	At   time.Time // when its last byte was in
	From string    // the envelope sender
	To   []string  // the envelope recipients
	Data []byte    // header and body as received, dots unstuffed
	TLS  bool      // it came over TLS
	UTF8 bool      // MAIL asked for SMTPUTF8
	User string    // who had authenticated; empty: nobody
	Helo string    // the name that the client gave
}

// Sink is an SMTP server on 127.0.0.1 that records what it takes and fails on
// request.
type Sink struct {
	server   *smtp.Server
	listener net.Listener
	cert     certificate
	o        SinkOptions
	served   chan error

	mu       sync.Mutex
	mails    []Mail
	count    int
	failures []*Failure
	seen     map[string]bool       // recipients that greylisting knows
	conns    map[*trackedConn]bool // open now
	peak     int                   // most ever open at once
	opened   int                   // opened in total
	changed  chan struct{}         // closed and renewed whenever a mail is taken or a connection ends
	held     chan struct{}         // has an element for each Failure that holds an answer back
}

// NewSink starts a sink that stops when the test ends.
func NewSink(t testing.TB, o SinkOptions) *Sink {
	t.Helper()
	s, err := StartSink(t.TempDir(), o)
	if err != nil {
		t.Fatalf("start the SMTP sink: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop the SMTP sink: %v", err)
		}
	})
	return s
}

// StartSink starts a sink for programs that are no tests. Certificates are
// written into dir. The caller closes it.
func StartSink(dir string, o SinkOptions) (*Sink, error) {
	s := &Sink{o: o, seen: map[string]bool{}, conns: map[*trackedConn]bool{}, changed: make(chan struct{}), served: make(chan error, 1), held: make(chan struct{}, 1024)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.listener = trackingListener{listener, s}
	s.server = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.server.Domain = "sink.test"
	s.server.EnableSMTPUTF8 = !o.ASCIIOnly
	s.server.AllowInsecureAuth = o.InsecureAuth
	s.server.ErrorLog = log.New(io.Discard, "", 0) // dropped connections are what tests ask for
	if o.TLS != NoTLS {
		if s.cert, err = newCertificate(dir); err != nil {
			listener.Close()
			return nil, err
		}
	}
	config := &tls.Config{Certificates: []tls.Certificate{s.cert.Pair}, MinVersion: tls.VersionTLS12}
	switch o.TLS {
	case StartTLS:
		s.server.TLSConfig = config
	case ImplicitTLS:
		s.listener = tls.NewListener(s.listener, config)
	}
	go func() { s.served <- s.server.Serve(s.listener) }()
	return s, nil
}

// Close stops the sink and drops its connections.
func (s *Sink) Close() error {
	err := s.listener.Close() // the server knows it only once it serves
	s.server.Close()
	s.DropConnections()
	if served := <-s.served; !errors.Is(served, net.ErrClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Addr returns the host and port that the sink listens on.
func (s *Sink) Addr() string { return s.listener.Addr().String() }

// URL returns the sink's address in the form of COUNTERSIGN_SMTP_URL, with the
// user and password that it asks for.
func (s *Sink) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.Addr()}
	if s.o.TLS == ImplicitTLS {
		u.Scheme = "smtps"
	}
	if s.o.User != "" {
		u.User = url.UserPassword(s.o.User, s.o.Password)
	}
	return u.String()
}

// CAFile returns the file with the CA of the sink's certificate.
func (s *Sink) CAFile() string { return s.cert.CAFile }

// Mails returns what was taken so far, in the order of arrival; nothing when
// the sink only counts.
func (s *Sink) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Count returns how many mails were taken.
func (s *Sink) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Connections returns how many connections were opened in all and the most that
// were open at once.
func (s *Sink) Connections() (opened, peak int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, s.peak
}

// Wait returns as soon as at least n mails were taken, with all of them, or
// with the context's error.
func (s *Sink) Wait(ctx context.Context, n int) ([]Mail, error) {
	err := s.await(ctx, func() bool { return s.count >= n })
	return s.Mails(), err
}

// WaitIdle returns as soon as no connection is open, or with the context's
// error.
func (s *Sink) WaitIdle(ctx context.Context) error {
	return s.await(ctx, func() bool { return len(s.conns) == 0 })
}

// await returns once met is true, which is asked after every change.
func (s *Sink) await(ctx context.Context, met func() bool) error {
	for {
		s.mu.Lock()
		done, changed := met(), s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify wakes those who wait. The caller holds the lock.
func (s *Sink) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Held has an element for each time that a [Failure] began to hold an answer
// back.
func (s *Sink) Held() <-chan struct{} { return s.held }

// DropConnections closes every connection, as a server does that restarts.
func (s *Sink) DropConnections() {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

func (s *Sink) record(m Mail) {
	if s.o.Each != nil {
		s.o.Each(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if !s.o.CountOnly && s.o.Each == nil {
		s.mails = append(s.mails, m)
	}
	s.notify()
}
