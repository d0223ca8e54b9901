package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/mail"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"countersign.dev/channel/deliver"
)

// What a result says when no server had a say.
const (
	unsendable = "the address or the delivery's id cannot stand in an SMTP command"
	noUTF8     = "the mail server does not take addresses with characters outside ASCII (SMTPUTF8)"
	expired    = "the message expired before there was a connection"
)

// Options are what a [Sender] needs to know. Server, From and MAC must be given.
type Options struct {
	Server Server       // from ParseURL
	CAFile string       // PEM certificates to trust for the server in place of the system's; empty: the system's
	Helo   string       // the name that we greet with; empty: the domain of From
	From   mail.Address // the domain in ASCII

	BounceDomain string // of the signed envelope sender; empty: the domain of From
	DKIM         []DKIMKey

	MaxConns   int           // connections at a time; 0: 10
	MaxPerConn int           // messages over one connection; 0: 1,000
	Dial       time.Duration // to connect, with TLS and AUTH; 0: 15 s
	Command    time.Duration // for the replies to MAIL, RCPT and DATA; 0: 20 s
	Content    time.Duration // to send the content and get the reply; 0: 30 s
	Idle       time.Duration // after which an idle connection is closed; 0: 30 s

	MAC func(domain string, parts ...string) []byte // a keyed hash of 32 bytes, for the envelope sender
	Now func() time.Time                            // nil: time.Now
}

func (o *Options) fill() {
	setIfZero(&o.MaxConns, 10)
	setIfZero(&o.MaxPerConn, 1000)
	setIfZero(&o.Dial, 15*time.Second)
	setIfZero(&o.Command, 20*time.Second)
	setIfZero(&o.Content, 30*time.Second)
	setIfZero(&o.Idle, 30*time.Second)
	domain := domainOf(o.From.Address)
	setIfZero(&o.Helo, domain)
	setIfZero(&o.BounceDomain, domain)
	if o.Now == nil {
		o.Now = time.Now
	}
}

func setIfZero[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Sender sends mail through one server. It is safe for concurrent use.
type Sender struct {
	o          Options
	from       string // the value of the From field
	domain     string // of From
	returnPath returnPath
	signatures []*dkim.SignOptions
	limits     limits
	pool       *pool
}

// New returns a sender. It does not connect: a server that is down delays messages and does not stop the program. Faults:
// smtp-url-host, smtp-ca-file, mail-from, mail-domain, dkim-selector, dkim-domain, dkim-key-kind, dkim-key-short.
func New(o Options) (*Sender, error) {
	o.fill()
	s := &Sender{o: o, domain: domainOf(o.From.Address), limits: limits{o.Command, o.Content}}
	switch {
	case o.Server.Host == "":
		return nil, invalid("smtp-url-host")
	case !sendable(o.From.Address) || !printable(o.From.Address):
		return nil, invalid("mail-from")
	case o.MAC == nil:
		return nil, errors.New("mail: Options.MAC is missing")
	case !domainName(o.BounceDomain) || !domainName(o.Helo):
		return nil, invalid("mail-domain")
	}
	config, err := tlsConfig(o.Server, o.CAFile)
	if err != nil {
		return nil, err
	}
	if s.signatures, err = signatures(o.DKIM, s.domain); err != nil {
		return nil, err
	}
	s.from = mailbox(o.From.Name, o.From.Address)
	s.returnPath = returnPath{domain: asciiLower(o.BounceDomain), mac: o.MAC}
	d := &dialer{server: o.Server, helo: o.Helo, tls: config, timeout: o.Dial}
	s.pool = &pool{
		dial: d.dial, slots: make(chan struct{}, o.MaxConns), closing: make(chan struct{}),
		perConn: o.MaxPerConn, idle: o.Idle,
	}
	return s, nil
}

// tlsConfig verifies the server, except where TLS is opportunistic on loopback and no CA was given: there it hides nothing from anyone,
// and servers have certificates that they signed themselves.
func tlsConfig(server Server, caFile string) (*tls.Config, error) {
	config := &tls.Config{
		ServerName:         server.Host,
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
		InsecureSkipVerify: server.TLS == TLSOpportunistic && server.loopback() && caFile == "", //nolint:gosec // the reason is above
	}
	if caFile == "" {
		return config, nil
	}
	content, err := os.ReadFile(caFile)
	if err != nil {
		return nil, invalid("smtp-ca-file").Because(err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(content) {
		return nil, invalid("smtp-ca-file")
	}
	return config, nil
}

// Close waits for the messages under way and closes the connections. Later messages are not sent.
func (s *Sender) Close() error {
	s.pool.close()
	return nil
}

// Send composes, signs and sends one message and says what came of it. It returns within the context's life and the timeouts of
// Options. A connection that was lost is replaced once; then the message is left to the caller to try again, as it is on a 4xx.
// A message that has expired by the time there is a connection is not sent.
func (s *Sender) Send(ctx context.Context, m deliver.Message) deliver.Result {
	if !validID(m.DeliveryID) || !sendable(m.To) {
		return deliver.Result{Outcome: deliver.Refused, Words: unsendable}
	}
	now := s.o.Now()
	content, err := sign(compose(m, s.from, s.domain, now), s.signatures)
	if err != nil {
		return failed(err)
	}
	out := outgoing{
		envelope: envelope{from: s.returnPath.address(m.DeliveryID, now), to: m.To, utf8: !ascii(m.To)},
		content:  content,
		expires:  m.ExpiresAt,
	}
	result, lost := s.attempt(ctx, out, false)
	if lost && ctx.Err() == nil {
		result, _ = s.attempt(ctx, out, true)
	}
	return result
}

// outgoing is a message ready to send.
type outgoing struct {
	envelope envelope
	content  []byte
	expires  time.Time
}

// attempt sends over one session. lost says that the session ended under it, so that another may serve.
func (s *Sender) attempt(ctx context.Context, out outgoing, fresh bool) (result deliver.Result, lost bool) {
	session, err := s.pool.get(ctx, fresh)
	if err != nil {
		return failed(err), false
	}
	defer s.pool.put(session)
	switch {
	case out.envelope.utf8 && !session.utf8:
		return deliver.Result{Outcome: deliver.Refused, Enhanced: "5.6.7", Words: noUTF8}, false
	case !out.expires.IsZero() && !s.o.Now().Before(out.expires):
		return deliver.Result{Outcome: deliver.Retry, Words: expired}, false
	}
	a, err := session.transact(ctx, s.limits, out.envelope, out.content)
	if err != nil {
		return failed(err), !timedOut(err)
	}
	return a.result(), a.closing()
}

// ParseBounce returns the delivery that an envelope sender of ours belongs to. It is true only for one that this installation made at
// most ten days ago, to the end of the day.
func (s *Sender) ParseBounce(address string) (deliveryID string, ok bool) {
	return s.returnPath.parse(address, s.o.Now())
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// sendable is true for an address that can stand in a path of an SMTP command: a local part and a domain, no control character, no
// angle bracket, and no more than a path may hold (RFC 5321, 4.5.3.1.3).
func sendable(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return at > 0 && at < len(address)-1 && len(address) <= 254 &&
		!strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r == 0x7f || r == '<' || r == '>' || r == 0xFFFD })
}

// domainName is true for the characters of a host name in ASCII.
func domainName(name string) bool {
	return name != "" && len(name) <= 253 && !strings.ContainsFunc(asciiLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}

// printable is true for ASCII without controls and spaces.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
