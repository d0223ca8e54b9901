package rig

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign.dev/apptest"
)

// Letter is a mail that arrived, as far as a bench looks at it.
type Letter struct {
	At   time.Time // when its last byte was in, before the server heard so
	To   string
	ID   string // its Message-ID
	Code string // the code in its text, "" when there is none
	Size int    // in bytes
}

// Mailbox is the mail server that everything is sent to, with a record of all letters.
type Mailbox struct {
	sink *apptest.Sink

	mu      sync.Mutex
	letters []Letter
	waiting map[string]chan Letter // by recipient
	failed  error                  // the first letter that could not be read
}

// OpenMailbox starts the mail server; its certificates, if any, would go into dir.
func OpenMailbox(dir string) (*Mailbox, error) {
	m := &Mailbox{waiting: map[string]chan Letter{}}
	var err error
	m.sink, err = apptest.StartSink(dir, apptest.SinkOptions{Each: m.take})
	return m, err
}

// URL is the server's address for the setting SMTP_URL.
func (m *Mailbox) URL() string { return m.sink.URL() }

// Close stops the mail server and returns an error if a letter could not be read.
func (m *Mailbox) Close() error { return errors.Join(m.sink.Close(), m.failed) }

// Expect returns a channel that gets the next letter to the recipient.
func (m *Mailbox) Expect(to string) <-chan Letter {
	next := make(chan Letter, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting[to] = next
	return next
}

// Letters returns all that arrived, in that order.
func (m *Mailbox) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}

func (m *Mailbox) take(received apptest.Mail) {
	l, err := readLetter(received)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil && m.failed == nil {
		m.failed = err
	}
	m.letters = append(m.letters, l)
	if next, ok := m.waiting[l.To]; ok {
		delete(m.waiting, l.To)
		next <- l
	}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

func readLetter(m apptest.Mail) (Letter, error) {
	l := Letter{At: m.At, To: m.To[0], Size: len(m.Data)}
	parsed, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
	if err != nil {
		return l, err
	}
	l.ID = strings.Trim(parsed.Header.Get("Message-Id"), "<>")
	text, err := plainText(parsed)
	l.Code = sixDigits.FindString(text)
	return l, err
}

// plainText returns the mail's text, which stands alone or before its HTML.
func plainText(m *mail.Message) (string, error) {
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	if kind != "multipart/alternative" {
		return decoded(m.Body, m.Header.Get("Content-Transfer-Encoding"))
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
	if err != nil {
		return "", err
	}
	return decoded(part, part.Header.Get("Content-Transfer-Encoding"))
}

func decoded(body io.Reader, encoding string) (string, error) {
	switch encoding {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	return string(text), err
}
