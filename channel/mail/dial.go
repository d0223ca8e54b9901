package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/smtp"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
)

// mostReply bounds what a server may say in answer to one command, TLS handshakes included.
const mostReply = 256 << 10

var (
	errNoTLS  = errors.New("the mail server does not offer STARTTLS, which the settings require")
	errNoAuth = errors.New("the mail server offers neither AUTH PLAIN nor AUTH LOGIN under TLS, which the user in the settings needs")
	errLong   = errors.New("the mail server's reply is too long")
)

// dialer opens sessions.
type dialer struct {
	server  Server
	helo    string
	tls     *tls.Config
	timeout time.Duration
}

// dial connects, within the timeout and the context.
func (d *dialer) dial(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.server.address())
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { interrupt(raw) })
	s, err := d.greet(&boundedConn{Conn: raw})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return s, nil
}

func (d *dialer) greet(conn net.Conn) (*session, error) {
	if d.server.TLS == TLSImplicit {
		conn = tls.Client(conn, d.tls)
	}
	client, err := smtp.NewClient(conn, d.server.Host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(d.helo); err != nil {
		return nil, err
	}
	if err := d.secure(client); err != nil {
		return nil, err
	}
	if err := d.authenticate(client); err != nil {
		return nil, err
	}
	s := &session{conn: conn, text: client.Text}
	s.pipelining, _ = client.Extension("PIPELINING")
	s.utf8, _ = client.Extension("SMTPUTF8")
	return s, nil
}

// secure starts TLS by the policy. A server that offers it and then fails gets no clear text.
func (d *dialer) secure(client *smtp.Client) error {
	if d.server.TLS == TLSImplicit || d.server.TLS == TLSNever {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		if d.server.TLS == TLSAlways {
			return errNoTLS
		}
		return nil
	}
	return client.StartTLS(d.tls)
}

// authenticate sends the credentials, if there are any, and only under TLS.
func (d *dialer) authenticate(client *smtp.Client) error {
	if d.server.user == "" {
		return nil
	}
	if _, secure := client.TLSConnectionState(); !secure {
		return errNoAuth
	}
	_, offered := client.Extension("AUTH")
	for mechanism := range strings.FieldsSeq(offered) {
		switch strings.ToUpper(mechanism) {
		case sasl.Plain:
			return client.Auth(saslAuth{sasl.NewPlainClient("", d.server.user, d.server.password)})
		case sasl.Login:
			return client.Auth(saslAuth{sasl.NewLoginClient(d.server.user, d.server.password)})
		}
	}
	return errNoAuth
}

// saslAuth lets the client use a SASL mechanism.
type saslAuth struct{ client sasl.Client }

func (a saslAuth) Start(*smtp.ServerInfo) (mechanism string, response []byte, err error) {
	return a.client.Start()
}

func (a saslAuth) Next(challenge []byte, more bool) (response []byte, err error) {
	if !more {
		return nil, nil
	}
	return a.client.Next(challenge)
}

// boundedConn fails once a peer has said more than mostReply since we last spoke, so that one that talks without end does not fill the
// memory.
type boundedConn struct {
	net.Conn
	heard int
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.heard > mostReply {
		return 0, errLong
	}
	n, err := c.Conn.Read(p)
	c.heard += n
	return n, err
}

func (c *boundedConn) Write(p []byte) (int, error) {
	c.heard = 0
	return c.Conn.Write(p)
}
