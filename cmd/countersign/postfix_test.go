package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"countersign.dev/apptest"
	"countersign.dev/base/config"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
)

// TestMailThroughPostfix sends through a real mail server, as an operator's service does.
func TestMailThroughPostfix(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			p := newPostOffice(t, engine)
			p.mailVerifies()
			p.greylistedMailComesLater()
			p.unknownRecipientIsRecorded()
			p.nothingLeavesAfterExpiry()
		})
	}
}

// postOffice is the service with a Postfix that takes its mail over STARTTLS.
type postOffice struct {
	*service
	postfix *apptest.PostfixServer
	clock   *apptest.Clock
	zone    map[string]string // the DNS records of our DKIM keys
}

const signer = "harbourline.test"

func newPostOffice(t *testing.T, engine store.Engine) *postOffice {
	s := settingsOn(t, engine)
	p := &postOffice{
		postfix: apptest.Postfix(t, "mei", "grey", "late", "slow"),
		clock:   apptest.NewClock(time.Now()),
		zone:    map[string]string{},
	}
	s.SMTP.URL, s.SMTP.CAFile = p.postfix.URL()+"?starttls=always", p.postfix.CAFile
	s.Mail.From = "contacts@" + signer
	s.DKIM = p.signatures(t)
	p.service = serve(t, s, at(p.clock))
	return p
}

// signatures makes both keys and publishes them.
func (p *postOffice) signatures(t *testing.T) config.DKIM {
	t.Helper()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	p.publish("ed", "ed25519", edwards.Public().(ed25519.PublicKey))
	p.publish("rsa", "rsa", public)
	return config.DKIM{
		Domain: signer, Ed25519Key: writeKey(t, edwards), Ed25519Selector: "ed", RSAKey: writeKey(t, rsaKey), RSASelector: "rsa",
	}
}

func (p *postOffice) publish(selector, kind string, public []byte) {
	p.zone[selector+"._domainkey."+signer] = "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(public)
}

func writeKey(t testing.TB, key crypto.Signer) (file string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// boxOf is a user's address at the Postfix.
func boxOf(user string) string { return user + "@" + apptest.PostfixDomain }

// delivered waits for a user's only mail.
func (p *postOffice) delivered(user string) (mail []byte) {
	p.Helper()
	p.eventually("a mail in "+user+"'s Maildir", func() bool {
		mails, err := p.postfix.Maildir(user)
		if err != nil || len(mails) > 1 {
			p.Fatalf("%d mails for %s: %v", len(mails), user, err)
		}
		if len(mails) == 1 {
			mail = mails[0]
		}
		return len(mails) == 1
	})
	return mail
}

func (p *postOffice) mailVerifies() {
	p.put("mei", object{"name": "Lotus Trading", "locale": "zh-CN", "country": "CN"}, map[string]string{"email": boxOf("mei")})
	verification := p.start("mei", "email")
	raw := p.delivered("mei")
	p.signedTwice(raw)
	l := readLetter(p, raw)
	if received := l.header["Received"]; len(received) != 1 || !strings.Contains(received[0], "using TLSv1.3") {
		p.Errorf("it was not received once, over TLS: %q", received)
	}
	if got := l.header.Get("Auto-Submitted"); got != "auto-generated" {
		p.Errorf("Auto-Submitted is %q", got)
	}
	if from := l.header.Get("From"); !strings.Contains(from, "Harbourline") || !strings.Contains(from, "contacts@"+signer) {
		p.Errorf("it is from %q", from)
	}
	returnPath := strings.Trim(l.header.Get("Return-Path"), "<>")
	if id, ok := p.main.mailer.ParseBounce(returnPath); !ok || !strings.HasPrefix(l.header.Get("Message-ID"), "<"+id+"@") {
		p.Errorf("the envelope sender %q and the Message-ID %q do not name one delivery", returnPath, l.header.Get("Message-ID"))
	}
	if sixDigits.MatchString(l.subject) || !strings.Contains(l.subject, "请确认") {
		p.Errorf("the subject is %q", l.subject)
	}
	p.check(verification, l.code(p))
	if state := p.contact("mei", "email")["state"]; state != "verified" {
		p.Errorf("the contact is %v", state)
	}
}

func (p *postOffice) signedTwice(raw []byte) {
	p.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		record, ok := p.zone[name]
		if !ok {
			return nil, fmt.Errorf("no record %s", name)
		}
		return []string{record}, nil
	}})
	if err != nil || len(found) != 2 {
		p.Fatalf("%d signatures: %v", len(found), err)
	}
	for _, v := range found {
		if v.Err != nil || v.Domain != signer {
			p.Errorf("the signature of %s: %v", v.Domain, v.Err)
		}
	}
}

// lastDelivery is what became of the newest message to an account.
func (p *postOffice) lastDelivery(account string) (v deliver.View, words string) {
	p.Helper()
	err := p.main.app.db.Read(p.Context(), func(tx *store.Tx) error {
		var id string
		err := tx.QueryRow(p.Context(), "SELECT delivery_id FROM delivery WHERE account_id = $1 ORDER BY created_at DESC LIMIT 1", account).Scan(&id)
		if err != nil {
			return err
		}
		acc, err := p.main.app.accounts.Get(p.Context(), tx, account)
		if err != nil {
			return err
		}
		if v, err = deliver.Get(p.Context(), tx, account, id); err != nil {
			return err
		}
		words, err = v.Words(acc.Key)
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return v, words
}

// deferred waits until greylisting has deferred an account's message, and returns when it is tried again.
func (p *postOffice) deferred(account string) (next time.Time) {
	p.Helper()
	p.eventually("a deferred delivery", func() bool {
		v, words := p.lastDelivery(account)
		next = v.DueAt
		return v.State == deliver.StateQueued && v.Code == 450 && v.Enhanced == "4.2.0" && strings.Contains(words, "Greylisted")
	})
	return next
}

func (p *postOffice) greylistedMailComesLater() {
	p.postfix.Greylist(true)
	defer p.postfix.Greylist(false)
	p.put("grey", object{"name": "Grey"}, map[string]string{"email": boxOf("grey")})
	verification := p.start("grey", "email")
	next := p.deferred("grey")
	if mails, _ := p.postfix.Maildir("grey"); len(mails) != 0 {
		p.Error("the mail was not greylisted")
	}
	if state := p.must(http.StatusOK, http.MethodGet, "/v1/verifications/"+verification, nil).text("delivery"); state != "queued" {
		p.Errorf("the deferred delivery is %q", state)
	}
	p.clock.Set(next)
	code := readLetter(p, p.delivered("grey")).code(p)
	p.eventually("an accepted delivery", func() bool {
		v, _ := p.lastDelivery("grey")
		return v.State == deliver.StateAccepted && v.Attempts == 2
	})
	p.check(verification, code)
}

func (p *postOffice) unknownRecipientIsRecorded() {
	p.put("gone", object{"name": "Gone"}, map[string]string{"email": boxOf("nobody-here")})
	verification := p.start("gone", "email")
	p.eventually("a contact that needs an update", func() bool {
		c := p.contact("gone", "email")
		return c["state"] == "needs_update" && c["reason"] == "bounced"
	})
	v, words := p.lastDelivery("gone")
	if v.State != deliver.StateRefused || v.Code != 550 || v.Enhanced != "5.1.1" || !strings.Contains(words, "User unknown") {
		p.Errorf("the delivery is %s, %d %s, %q", v.State, v.Code, v.Enhanced, words)
	}
	if state := p.must(http.StatusOK, http.MethodGet, "/v1/verifications/"+verification, nil).text("delivery"); state != "refused" {
		p.Errorf("the API says the delivery is %q", state)
	}
	for _, want := range []string{"delivery.refused", "contact.needs_update"} {
		p.eventually(want, func() bool { return slices.Contains(p.events("gone"), want) })
	}
}

// A code whose time ends between two attempts, and one whose time ends before the first, never leave.
func (p *postOffice) nothingLeavesAfterExpiry() {
	p.postfix.Greylist(true)
	p.put("late", object{"name": "Late"}, map[string]string{"email": boxOf("late")})
	verification := p.start("late", "email")
	p.deferred("late")
	attempts := p.postfix.Deferred()
	p.postfix.Greylist(false) // the next attempt would be taken
	p.clock.Advance(p.main.Settings.Verify.EmailLife)
	p.expires("late")
	p.refused("expired", http.MethodPost, checkPath(verification), object{"code": "000000"})

	p.put("slow", object{"name": "Slow"}, map[string]string{"email": boxOf("slow")})
	p.sendsNothingUntilExpiry("slow")

	p.put("after", object{"name": "After"}, map[string]string{"email": boxOf("after-all")})
	p.start("after", "email") // refused once everything before it had its turn
	p.eventually("a later message at the server", func() bool {
		return slices.ContainsFunc(p.postfix.Log(), func(line string) bool { return strings.Contains(line, boxOf("after-all")) })
	})
	for _, user := range []string{"late", "slow"} {
		if mails, _ := p.postfix.Maildir(user); len(mails) != 0 {
			p.Errorf("%s got a code that had expired", user)
		}
	}
	if p.postfix.Deferred() != attempts {
		p.Error("there was another attempt")
	}
	for _, line := range p.postfix.Log() {
		if strings.Contains(line, boxOf("slow")) {
			p.Errorf("the expired message reached the server: %s", line)
		}
	}
}

// sendsNothingUntilExpiry starts a verification whose message is still queued when its code expires: the transaction that queues
// it moves the clock before it commits, as if the machine had stood still for that long just then.
func (p *postOffice) sendsNothingUntilExpiry(account string) {
	p.Helper()
	slot, err := contact.ParseSlot("email")
	if err != nil {
		p.Fatal(err)
	}
	err = p.main.app.db.Write(p.Context(), func(tx *store.Tx) error {
		_, err := p.main.app.verifier.Start(p.Context(), tx, account, slot, "code", "key:test")
		p.clock.Set(tx.Now().Add(p.main.Settings.Verify.EmailLife))
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	p.expires(account)
}

func (p *postOffice) expires(account string) {
	p.Helper()
	p.eventually("an expired delivery", func() bool {
		v, _ := p.lastDelivery(account)
		return v.State == deliver.StateExpired
	})
	p.eventually("its event", func() bool { return slices.Contains(p.events(account), "delivery.expired") })
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	var payload []byte
	err := p.main.app.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, "SELECT payload FROM delivery WHERE account_id = $1", account).Scan(&payload)
	})
	if err != nil || payload != nil {
		p.Errorf("the expired code is still there: %v", err)
	}
}
