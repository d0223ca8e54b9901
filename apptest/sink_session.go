package apptest

import (
	"crypto/subtle"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Stage is a point of an SMTP transaction at which a [Sink] can fail.
type Stage int

const (
	AtMail Stage = iota + 1 // in answer to MAIL
	AtRcpt                  // in answer to RCPT
	AtData                  // in answer to the end of the content
)

// Failure is an answer that a [Sink] gives in place of its usual one.
type Failure struct {
	At       Stage
	To       string // this recipient only, compared without case; empty: any. Not for AtMail
	Code     int    // the reply code, such as 550
	Enhanced string // the enhanced code, such as "5.1.1"; empty: the class's general one
	Text     string
	Drop     bool            // the connection is closed and nothing is answered
	Hold     <-chan struct{} // the answer waits until this is closed; without a Code it is then the usual one
	Times    int             // for the next so many times; 0: from now on
}

// Fail makes the sink answer by f. Of several failures that fit, the first
// given counts.
func (s *Sink) Fail(f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, &f)
}

// Heal makes the sink forget every failure.
func (s *Sink) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = nil
}

// failing returns the failure for this stage and these recipients and counts
// its use, nil when there is none.
func (s *Sink) failing(at Stage, to ...string) *Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.failures {
		if f.At != at || f.To != "" && !slices.ContainsFunc(to, func(a string) bool { return strings.EqualFold(a, f.To) }) {
			continue
		}
		if f.Times--; f.Times == 0 {
			s.failures = slices.Delete(s.failures, i, i+1)
		}
		return f
	}
	return nil
}

// unknown is true the first time that greylisting meets the recipient.
func (s *Sink) unknown(to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.seen[to]
	s.seen[to] = true
	return !known
}

// trackingListener makes the sink know its open connections, to count them and
// to drop them.
type trackingListener struct {
	net.Listener
	sink *Sink
}

func (l trackingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := l.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	tracked := &trackedConn{conn, s}
	s.conns[tracked] = true
	s.opened++
	s.peak = max(s.peak, len(s.conns))
	return tracked, nil
}

type trackedConn struct {
	net.Conn
	sink *Sink
}

func (c *trackedConn) Close() error {
	c.sink.mu.Lock()
	delete(c.sink.conns, c)
	c.sink.notify()
	c.sink.mu.Unlock()
	return c.Conn.Close()
}

func (s *Sink) newSession(c *smtp.Conn) (smtp.Session, error) {
	_, isTLS := c.TLSConnectionState()
	return &session{sink: s, conn: c, tls: isTLS}, nil
}

// session is one client's conversation with the sink.
type session struct {
	sink *Sink
	conn *smtp.Conn
	tls  bool
	user string
	mail Mail
}

func (s *session) Reset() { s.mail = Mail{} }

func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	if s.sink.o.User != "" && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.mail = Mail{From: from, TLS: s.tls, UTF8: opts.UTF8, User: s.user, Helo: s.conn.Hostname()}
	return s.answer(s.sink.failing(AtMail))
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.sink.o.Greylist && s.sink.unknown(to) {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Greylisted, try again later"}
	}
	if err := s.answer(s.sink.failing(AtRcpt, to)); err != nil {
		return err
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	mail := s.mail
	var err error
	if s.sink.o.CountOnly {
		_, err = io.Copy(io.Discard, r)
	} else {
		mail.Data, err = io.ReadAll(r)
	}
	if err != nil {
		return err
	}
	if err := s.answer(s.sink.failing(AtData, mail.To...)); err != nil {
		return err
	}
	mail.At = time.Now()
	s.sink.record(mail)
	return nil
}

// answer turns a failure into the server's answer; nil stays nil.
func (s *session) answer(f *Failure) error {
	if f == nil {
		return nil
	}
	if f.Hold != nil {
		s.sink.held <- struct{}{}
		<-f.Hold
	}
	if f.Drop {
		s.conn.Conn().Close()
	}
	if f.Code == 0 && !f.Drop {
		return nil
	}
	e := &smtp.SMTPError{Code: f.Code, Message: f.Text}
	for i, digits := range strings.SplitN(f.Enhanced, ".", 3) {
		for _, d := range digits {
			e.EnhancedCode[i] = 10*e.EnhancedCode[i] + int(d-'0')
		}
	}
	return e
}

// AuthMechanisms implements [smtp.AuthSession].
func (s *session) AuthMechanisms() []string {
	switch {
	case s.sink.o.User == "":
		return nil
	case s.sink.o.LoginOnly:
		return []string{sasl.Login}
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth implements [smtp.AuthSession].
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return s.authenticate(user, password) }), nil
	case sasl.Login:
		return &loginServer{authenticate: s.authenticate}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *session) authenticate(user, password string) error {
	o := s.sink.o
	given, want := user+"\x00"+password, o.User+"\x00"+o.Password
	if subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1 {
		return smtp.ErrAuthFailed
	}
	s.user = user
	return nil
}

// loginServer is the server's side of AUTH LOGIN, which go-sasl has for clients
// only.
type loginServer struct {
	authenticate func(user, password string) error
	user         *string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte("Username:"), false, nil
	}
	if l.user == nil {
		user := string(response)
		l.user = &user
		return []byte("Password:"), false, nil
	}
	return nil, true, l.authenticate(*l.user, string(response))
}
