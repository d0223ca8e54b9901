package mail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/textproto"
	"time"
)

// past is a deadline that has gone by.
var past = time.Unix(1, 0)

var errReply = errors.New("the mail server's reply does not fit the command")

// envelope is what the server is asked to do with a message.
type envelope struct {
	from, to string
	utf8     bool // the message or its envelope has more than ASCII: SMTPUTF8 is needed (RFC 6531)
}

// session is one connection to the mail server, greeted, under TLS and authenticated as the settings say.
//
// The standard library's client sets it up; transactions are written here, because MAIL, RCPT and DATA go out in one packet where the
// server takes pipelined commands (RFC 2920), which saves two round trips a message.
type session struct {
	conn       net.Conn
	text       *textproto.Conn
	pipelining bool
	utf8       bool

	open      bool // a transaction has begun that the server did not end: RSET comes first
	broken    bool // no further use
	sent      int
	idleSince time.Time
}

// limits are the longest waits within a transaction.
type limits struct {
	command time.Duration // for the replies to MAIL, RCPT and DATA
	content time.Duration // for sending the content and the reply to it
}

// transact sends one message. The answer is the server's to the command that decided it; an error means that the connection failed and
// that the message may or may not have been taken.
func (s *session) transact(ctx context.Context, l limits, e envelope, content []byte) (answer, error) {
	stop := context.AfterFunc(ctx, func() { interrupt(s.conn) })
	a, err := s.exchange(ctx, l, e, content)
	if !stop() || err != nil || a.closing() {
		s.broken = true
	}
	return a, err
}

func (s *session) exchange(ctx context.Context, l limits, e envelope, content []byte) (answer, error) {
	if err := s.wait(ctx, l.command); err != nil {
		return answer{}, err
	}
	a, err := s.announce(e)
	if err != nil || a.stage != atData || a.code != 354 {
		return a, err
	}
	if err := s.wait(ctx, l.content); err != nil {
		return answer{}, err
	}
	if err := writeContent(s.text.W, content); err != nil {
		return answer{}, err
	}
	a, err = s.read(atContent)
	if err == nil {
		s.open = false // whatever the answer, it ended the transaction
		s.sent++
	}
	return a, err
}

// wait bounds what follows. A context that ended before cannot be overruled.
func (s *session) wait(ctx context.Context, d time.Duration) error {
	if err := s.conn.SetDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	return ctx.Err()
}

// command is a line and the stage of the transaction that it asks for.
type command struct {
	stage stage
	line  string
}

// good is true when the reply lets the transaction go on.
func (c command) good(a answer) bool {
	if c.stage == atData {
		return a.code == 354
	}
	return a.code/100 == 2
}

// announce asks for the transaction up to the go-ahead for the content and returns that, or the first answer that is against it.
func (s *session) announce(e envelope) (answer, error) {
	mail := "MAIL FROM:<" + e.from + ">"
	if e.utf8 {
		mail += " BODY=8BITMIME SMTPUTF8"
	}
	commands := []command{{atMail, mail}, {atRcpt, "RCPT TO:<" + e.to + ">"}, {atData, "DATA"}}
	if s.open {
		commands = append([]command{{atReset, "RSET"}}, commands...)
	}
	s.open = true
	if s.pipelining {
		return s.together(commands)
	}
	return s.inTurn(commands)
}

func (s *session) inTurn(commands []command) (a answer, err error) {
	for _, c := range commands {
		if err := s.write(c); err != nil {
			return answer{}, err
		}
		if a, err = s.read(c.stage); err != nil || !c.good(a) {
			return a, err
		}
	}
	return a, nil
}

// together sends all commands before it reads a reply.
func (s *session) together(commands []command) (answer, error) {
	if err := s.write(commands...); err != nil {
		return answer{}, err
	}
	var first *answer // that is against it
	for _, c := range commands {
		a, err := s.read(c.stage)
		switch {
		case err != nil && first != nil: // it closed after saying why
			s.broken = true
			return *first, nil
		case err != nil:
			return answer{}, err
		case c.stage == atData && first != nil:
			return *first, s.abandon(a)
		case c.stage == atData:
			return a, nil
		case !c.good(a) && first == nil:
			first = &a
		}
	}
	return answer{}, errReply
}

// abandon ends the content that a server asks for although it took no recipient (RFC 2920, 3.1).
func (s *session) abandon(data answer) error {
	if data.code != 354 {
		return nil
	}
	if err := s.write(command{atContent, "."}); err != nil {
		return err
	}
	_, err := s.read(atContent)
	s.open = false
	return err
}

func (s *session) write(commands ...command) error {
	for _, c := range commands {
		if _, err := s.text.W.WriteString(c.line + "\r\n"); err != nil {
			return err
		}
	}
	return s.text.W.Flush()
}

func (s *session) read(at stage) (answer, error) {
	code, text, err := s.text.ReadResponse(0)
	if err != nil {
		return answer{}, err
	}
	if code < 200 || code > 599 || code/100 == 3 && (at != atData || code != 354) || at == atData && code/100 == 2 {
		return answer{}, errReply
	}
	return newAnswer(at, code, text), nil
}

// writeContent sends the message with its dots stuffed (RFC 5321, 4.5.2) and the line that ends it, in one piece. The message begins with
// no dot and ends with CRLF.
func writeContent(w *bufio.Writer, content []byte) error {
	stuffed := bytes.ReplaceAll(content, []byte("\n."), []byte("\n.."))
	if _, err := w.Write(append(stuffed, ".\r\n"...)); err != nil {
		return err
	}
	return w.Flush()
}

// quit takes leave without waiting for the answer, and closes.
func (s *session) quit() {
	if !s.broken && s.conn.SetDeadline(time.Now().Add(time.Second)) == nil {
		_ = s.write(command{line: "QUIT"}) // closing follows either way
	}
	interrupt(s.conn)
	_ = s.text.Close() // the server may have closed it before
}

// interrupt makes whatever waits on the connection return. A connection that cannot be told is closed already, and nothing waits.
func interrupt(conn net.Conn) { _ = conn.SetDeadline(past) }
