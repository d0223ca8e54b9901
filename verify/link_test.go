package verify_test

import (
	"strings"
	"testing"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

// link waits for the next message and reads the token in it.
func (b *bench) link() string {
	b.Helper()
	token := fiftyTwo.FindString(b.message().Text)
	if token == "" {
		b.Fatal("no link in the message")
	}
	return token
}

// open follows a link over a connection that refuses to write.
func (b *bench) open(token string) (v verify.Verification, code string, err error) {
	err = b.db.Read(b.ctx, func(tx *store.Tx) (err error) {
		v, code, err = b.verifier.OpenLink(b.ctx, tx, token)
		return err
	})
	return v, code, err
}

func (b *bench) mustOpen(token string) (code string) {
	b.Helper()
	_, code, err := b.open(token)
	if err != nil {
		b.Fatal(err)
	}
	return code
}

func (b *bench) confirm(token string) error {
	return b.verifier.ConfirmLink(b.ctx, token, seller, "account:"+seller)
}

func TestALinkVerifiesTheAddress(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		if want := morning.Add(24 * time.Hour); v.Method != verify.Link || !v.ExpiresAt.Equal(want) {
			b.Errorf("it is by %s and expires at %v, want %v", v.Method, v.ExpiresAt, want)
		}
		m := b.message()
		token := fiftyTwo.FindString(m.Text)
		opened, code, err := b.open(token)
		if err != nil || opened.ID != v.ID || opened.Account != seller || opened.Slot != email || !opened.ExpiresAt.Equal(v.ExpiresAt) {
			b.Fatalf("the link opens %+v, %v", opened, err)
		}
		if strings.Contains(m.Subject+m.Text+m.HTML, code) || strings.Contains(m.Subject, token) {
			b.Error("the message holds the code, or its subject the link")
		}
		if err := b.confirm(token); err != nil {
			b.Fatal(err)
		}
		if b.state(email) != contact.Verified || b.get(v.ID).State != verify.Verified {
			b.Errorf("contact %s, verification %s", b.state(email), b.get(v.ID).State)
		}
		_, _, err = b.open(token)
		wantFault(b.T, err, "already-used")
		wantFault(b.T, b.confirm(token), "already-used")
		wantFault(b.T, b.check(v.ID, code), "already-used")
	})
}

func TestTheCodeOfALinkIsACodeLikeAnyOther(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		code := b.mustOpen(token)
		f := wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
		if f.Extra["guesses_left"] != 4 {
			b.Errorf("guesses_left is %v, want 4", f.Extra["guesses_left"])
		}
		if err := b.check(v.ID, code); err != nil {
			b.Fatal(err)
		}
		wantFault(b.T, b.confirm(token), "already-used")
		if b.state(email) != contact.Verified {
			b.Errorf("the contact is %s", b.state(email))
		}
	})
}

// What a mail scanner does with a link, however often, is to open it.
func TestOpeningALinkUsesNothingUp(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		before := b.rows()
		for range 20 {
			b.mustOpen(token)
		}
		if after := b.rows(); after != before {
			b.Errorf("before it was opened: %s; after: %s", before, after)
		}
		if got := b.get(v.ID); got.State != verify.Pending || got.GuessesLeft != 5 {
			b.Errorf("it is %+v", got)
		}
		if err := b.confirm(token); err != nil {
			b.Errorf("the person's own click: %v", err)
		}
	})
}

// rows is what a verification keeps of itself.
func (b *bench) rows() string {
	b.Helper()
	var row struct{ tokens, codes, guesses, run string }
	var events []event.Event
	b.write(func(tx *store.Tx) (err error) {
		events, err = event.OfAccount(b.ctx, tx, seller, "", 100)
		if err != nil {
			return err
		}
		var tokens, codes []byte
		err = tx.QueryRow(b.ctx, `SELECT v.tokens, s.codes, CAST(s.guesses AS TEXT), CAST(s.wrong_run AS TEXT)
			FROM verification v JOIN verification_slot s ON s.account_id = v.account_id AND s.verification_id = v.verification_id
			WHERE v.account_id = $1`, seller).Scan(&tokens, &codes, &row.guesses, &row.run)
		row.tokens, row.codes = string(tokens), string(codes)
		return err
	})
	var verifications []string
	for _, e := range events {
		if strings.HasPrefix(e.Type, "verification.") || strings.HasPrefix(e.Type, "contact.") {
			verifications = append(verifications, e.Type)
		}
	}
	return strings.Join(append(verifications, row.tokens, row.codes, row.guesses, row.run), " ")
}

// A wrong token says the same before and after its verification has ended, and counts against nobody.
func TestAWrongLinkTellsNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		wrong := []string{
			"", "x", token[:51], token + "0", strings.Repeat("0", 52), token[26:] + token[:26],
			token[:51] + string(next(token[51])), token[:26] + strings.Repeat("0", 26), token[:26] + "../../../../../etc/passwd0",
		}
		for range 2 {
			for _, w := range wrong {
				_, code, err := b.open(w)
				wantFault(b.T, err, "unknown-link")
				wantFault(b.T, b.confirm(w), "unknown-link")
				if code != "" {
					b.Error("a wrong link has a code")
				}
			}
			if got := b.get(v.ID); got.State == verify.Pending && got.GuessesLeft != 5 {
				b.Errorf("%d guesses left, want 5", got.GuessesLeft)
			}
			if err := b.confirm(token); err != nil {
				wantFault(b.T, err, "already-used")
			}
		}
	})
}

// next is another symbol of a token.
func next(symbol byte) byte {
	if symbol == '0' {
		return 'z'
	}
	return '0'
}

func TestALinkOfAnotherAccountIsUnknown(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.seller("seller-2", "other@example.com")
		v := b.mustStart(email, verify.Link)
		token := b.link()
		intrude := func() error { return b.verifier.ConfirmLink(b.ctx, token, "seller-2", "account:seller-2") }
		wantFault(b.T, intrude(), "unknown-link")
		if got := b.get(v.ID); got.State != verify.Pending || got.GuessesLeft != 5 {
			b.Errorf("it is %+v", got)
		}
		if err := b.confirm(strings.ToUpper(token)); err != nil {
			b.Fatal(err)
		}
		wantFault(b.T, intrude(), "unknown-link")
	})
}

// endings are the ways in which a verification by link comes to take nothing any more, by what its link says then.
var endings = map[string]func(b *bench, v verify.Verification, code string){
	"already-used": func(b *bench, v verify.Verification, code string) { _ = b.check(v.ID, code) },
	"superseded": func(b *bench, v verify.Verification, _ string) {
		b.clock.Set(v.ResendAfter)
		b.mustStart(email, verify.Code)
	},
	"expired":         func(b *bench, v verify.Verification, _ string) { b.clock.Set(v.ExpiresAt) },
	"contact-changed": func(b *bench, _ verify.Verification, _ string) { b.set(seller, email, "other@example.com") },
	"too-many-guesses": func(b *bench, v verify.Verification, code string) {
		for range 5 {
			wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
		}
	},
	"slot-locked": func(b *bench, _ verify.Verification, _ string) {
		b.write(func(tx *store.Tx) error {
			_, err := tx.Exec(b.ctx, "UPDATE verification_slot SET wrong_run = 100 WHERE account_id = $1", seller)
			return err
		})
	},
}

// Whatever happens between the look at a link and its use is noticed by the statement that uses it up.
func TestALinkThatIsOvertakenProvesNothing(t *testing.T) {
	for want, end := range endings {
		if want == "expired" {
			continue // it was in time when it was looked at
		}
		t.Run(want, func(t *testing.T) {
			onBoth(t, func(b *bench) {
				v := b.mustStart(email, verify.Link)
				token := b.link()
				code := b.mustOpen(token)
				confirm, err := b.verifier.Clicked(b.ctx, token, seller, "account:"+seller)
				if err != nil {
					b.Fatal(err)
				}
				end(b, v, code)
				before := b.state(email)
				wantFault(b.T, confirm(), want)
				if after := b.state(email); after != before {
					b.Errorf("the contact was %s and is %s", before, after)
				}
			})
		})
	}
}

func TestALinkTellsWhatBecameOfItsVerification(t *testing.T) {
	for want, end := range endings {
		t.Run(want, func(t *testing.T) {
			onBoth(t, func(b *bench) {
				v := b.mustStart(email, verify.Link)
				token := b.link()
				end(b, v, b.mustOpen(token))
				_, code, err := b.open(token)
				wantFault(b.T, err, want)
				wantFault(b.T, b.confirm(token), want)
				_, _, err = b.open(token)
				wantFault(b.T, err, want)
				if code != "" {
					b.Error("it shows its code still")
				}
			})
		})
	}
}

// The sweep ends a verification by link as any other; its link says so before and after.
func TestALinkExpires(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		code := b.mustOpen(token)
		b.clock.Advance(24 * time.Hour)
		wantFault(b.T, b.confirm(token), "expired")
		if n, err := b.verifier.SweepExpired(b.ctx, 10); n != 1 || err != nil {
			b.Fatalf("swept %d (%v), want 1", n, err)
		}
		wantFault(b.T, b.confirm(token), "expired")
		wantFault(b.T, b.check(v.ID, code), "expired")
	})
}

func TestAResendKeepsThreeLinksAlive(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		all := []string{b.link()}
		for range 3 {
			b.clock.Advance(5 * time.Hour)
			if _, err := b.resend(v.ID); err != nil {
				b.Fatal(err)
			}
			all = append(all, b.link())
		}
		wantFault(b.T, b.confirm(all[0]), "unknown-link")
		oldest, code, err := b.open(all[1])
		if err != nil || !oldest.ExpiresAt.Equal(morning.Add(29*time.Hour)) {
			b.Errorf("the oldest of three works until %v (%v)", oldest.ExpiresAt, err)
		}
		if code == b.mustOpen(all[2]) && code == b.mustOpen(all[3]) {
			b.Error("every link has the same code")
		}
		b.clock.Set(oldest.ExpiresAt)
		wantFault(b.T, b.confirm(all[1]), "expired")
		wantFault(b.T, b.check(v.ID, code), "incorrect-code")
		if err := b.confirm(all[2]); err != nil {
			b.Errorf("the second of three: %v", err)
		}
	})
}

// A link to an address that is no longer the contact proves nothing, resets nothing, and ends its verification.
func TestALinkOfAContactThatChangedVerifiesNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		wantFault(b.T, b.check(v.ID, other(b.mustOpen(token))), "incorrect-code")
		b.set(seller, email, "mine@example.com")
		wantFault(b.T, b.confirm(token), "contact-changed")
		if b.state(email) != contact.Unverified || b.get(v.ID).State != verify.ContactChanged {
			b.Errorf("contact %s, verification %s", b.state(email), b.get(v.ID).State)
		}
		if wrong, _ := b.runs(email); wrong != 1 {
			b.Errorf("the run of wrong guesses is %d, want 1", wrong)
		}
	})
}

// A link puts a waiting value in force as a code does, and begins the runs anew.
func TestALinkPutsAChangeInForce(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.mustStart(email, verify.Link)
		if err := b.confirm(b.link()); err != nil {
			b.Fatal(err)
		}
		b.set(seller, email, "new@example.com")
		b.clock.Advance(time.Minute)
		v := b.mustStart(email, verify.Link)
		token := b.link()
		wantFault(b.T, b.check(v.ID, other(b.mustOpen(token))), "incorrect-code")
		if err := b.confirm(token); err != nil {
			b.Fatal(err)
		}
		b.write(func(tx *store.Tx) error {
			_, all, err := b.contacts.All(b.ctx, tx, seller)
			for _, k := range all {
				if k.Slot == email && (k.String() != "new@example.com" || k.Pending != nil) {
					b.Error("the new address is not in force")
				}
			}
			return err
		})
		if wrong, messages := b.runs(email); wrong != 0 || messages != 0 {
			b.Errorf("the runs are %d and %d", wrong, messages)
		}
	})
}

// Once the mail is out, neither its token nor its code is in what is kept.
func TestTheRecordOfALinkHasABlank(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.mustStart(email, verify.Link)
		token := b.link()
		code := b.mustOpen(token)
		err := b.db.Read(b.ctx, func(tx *store.Tx) error {
			shown, err := b.notices.OfAccount(b.ctx, tx, seller, "", 10)
			if len(shown) != 1 || !strings.Contains(shown[0].Text, notice.Blank) {
				b.Errorf("%d notices are on record, or the one has no blank", len(shown))
			}
			for _, s := range shown {
				if kept := s.Subject + s.Text + s.HTML; strings.Contains(kept, token[26:]) || strings.Contains(kept, code) {
					b.Error("the record holds the secret")
				}
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	})
}
