package mail

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"

	"countersign.dev/apptest"
	"countersign.dev/channel/deliver"
)

// A real server has the last word on what we speak: STARTTLS with a verified certificate, signatures that survive delivery, its refusal
// of an unknown user, and greylisting.
func TestPostfix(t *testing.T) {
	postfix := apptest.Postfix(t, "li")
	o := options(t, postfix.URL()+"?starttls=always")
	o.CAFile, o.DKIM = postfix.CAFile, testKeys()
	s := newSender(t, o)
	to := "li@" + apptest.PostfixDomain

	t.Run("delivers over STARTTLS with both signatures good", func(t *testing.T) {
		m := message(to)
		m.Subject, m.Text, m.HTML, m.Locale = "请验证您的紧急联系人", "您的验证码是 493817。\n.\n", "<p>您的验证码是 493817。</p>\n", "zh-CN"
		m.Image = &deliver.Image{ID: "logo@countersign", PNG: bytes.Repeat([]byte("\x89PNG\r\n.\x00"), 1000)}
		if r := s.Send(bounded(t), m); r.Outcome != deliver.Accepted {
			t.Fatalf("%+v", r)
		}
		raw := arrived(t, postfix, 1)
		if good, failure := verified(t, raw, o.DKIM); good != 2 {
			t.Errorf("%d of 2 signatures verify: %v", good, failure)
		}
		got, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.Header.Get("Received"), " with ESMTPS ") {
			t.Errorf("came without TLS: %s", got.Header.Get("Received"))
		}
		if id, ok := s.ParseBounce(strings.Trim(got.Header.Get("Return-Path"), "<>")); !ok || id != deliveryID {
			t.Errorf("Return-Path %s", got.Header.Get("Return-Path"))
		}
		if got.Header.Get("Message-ID") != "<"+deliveryID+"@harbour.test>" || subject(t, got.Header) != m.Subject {
			t.Errorf("%v", got.Header)
		}
	})

	t.Run("says who is unknown", func(t *testing.T) {
		r := s.Send(bounded(t), message("nobody@"+apptest.PostfixDomain))
		if r.Outcome != deliver.Refused || r.Code != 550 || r.Enhanced != "5.1.1" || !r.Recipient || !strings.Contains(r.Words, "User unknown") {
			t.Errorf("%+v", r)
		}
	})

	t.Run("greylists, then accepts", func(t *testing.T) {
		postfix.Greylist(true)
		defer postfix.Greylist(false)
		m := message(to)
		m.DeliveryID = strings.Replace(deliveryID, "01", "02", 1)
		if r := s.Send(bounded(t), m); r.Outcome != deliver.Retry || r.Code != 450 || r.Enhanced != "4.2.0" {
			t.Errorf("%+v", r)
		}
		if r := s.Send(bounded(t), m); r.Outcome != deliver.Accepted {
			t.Errorf("%+v", r)
		}
		arrived(t, postfix, 2)
		if postfix.Deferred() != 1 {
			t.Errorf("%d deferred", postfix.Deferred())
		}
	})

	t.Run("an unknown CA gets nothing", func(t *testing.T) {
		strict := o
		strict.CAFile = ""
		if r := newSender(t, strict).Send(bounded(t), message(to)); r.Outcome != deliver.Retry {
			t.Errorf("%+v", r)
		}
	})
}

// arrived waits for the n-th mail to li and returns it.
func arrived(t *testing.T, p *apptest.PostfixServer, n int) []byte {
	t.Helper()
	if err := p.Wait(bounded(t), n); err != nil {
		t.Fatal(err)
	}
	mails, err := p.Maildir("li")
	if err != nil || len(mails) != n {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	return mails[n-1]
}
