package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"testing"

	"countersign.dev/apptest"
)

// letter is a mail as a mail program reads it.
type letter struct {
	header  netmail.Header
	subject string
	parts   map[string]string // by media type
}

func readLetter(t testing.TB, raw []byte) letter {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	l := letter{header: m.Header, parts: map[string]string{}}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, text := readPart(t, p)
		l.parts[kind] = text
	}
}

func readPart(t testing.TB, p *multipart.Part) (kind, text string) {
	t.Helper()
	kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = p
	switch p.Header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		r = quotedprintable.NewReader(p)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, p)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return kind, string(content)
}

// code is the code in the text of a letter.
func (l letter) code(t testing.TB) string {
	t.Helper()
	code := sixDigits.FindString(l.parts["text/plain"])
	if code == "" {
		t.Fatal("there is no code in the mail")
	}
	return code
}

// letterTo waits for the first mail that a sink took for an address.
func letterTo(t testing.TB, sink *apptest.Sink, to string) (l letter) {
	t.Helper()
	eventually(t, "a mail for the address", func() bool {
		for _, m := range sink.Mails() {
			if m.To[0] == to {
				l = readLetter(t, m.Data)
				return true
			}
		}
		return false
	})
	return l
}
