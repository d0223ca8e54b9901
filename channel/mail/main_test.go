package mail

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"net/mail"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"countersign.dev/channel/deliver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testMAC(domain string, parts ...string) []byte {
	h := hmac.New(sha256.New, []byte("test key"))
	io.WriteString(h, domain+"\x00"+strings.Join(parts, "\x00"))
	return h.Sum(nil)
}

// options returns what a sender to the server needs.
func options(t testing.TB, server string) Options {
	t.Helper()
	s, err := ParseURL(server)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Server: s, From: mail.Address{Name: "Harbour Market", Address: "notices@harbour.test"}, MAC: testMAC}
}

func newSender(t testing.TB, o Options) *Sender {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

const deliveryID = "01k9z3m7q4x2v8w5t6r1y0p3n7"

func message(to string) deliver.Message {
	return deliver.Message{
		DeliveryID: deliveryID, NoticeID: "n", Reference: "CS-7K3M-9QXT-2V", Channel: "email",
		To: to, ToName: "Li Mei Trading", Locale: "en", Class: "code",
		Subject: "Confirm your emergency contact",
		Text:    "Harbour Market asks you to confirm this address.\n\nYour code is 493817.\n",
		HTML:    "<p>Harbour Market asks you to confirm this address.</p>\n<p>Your code is <b>493817</b>.</p>\n",
	}
}

// bounded is a context for a test that should need no waiting.
func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
