package verify_test

import (
	"strings"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

func TestACodeByMailVerifiesTheAddress(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		if v.State != verify.Pending || v.GuessesLeft != 5 || v.Delivery != "queued" {
			b.Errorf("a new verification is %+v", v)
		}
		if want := morning.Add(30 * time.Minute); !v.ExpiresAt.Equal(want) {
			b.Errorf("expires at %v, want %v", v.ExpiresAt, want)
		}
		m := b.message()
		if m.To != "mei@example.com" || strings.Contains(m.Subject, b.codeIn(m)) {
			b.Errorf("to %s, subject %q", m.To, m.Subject)
		}
		if err := b.check(v.ID, " 　"+b.codeIn(m)[:3]+"-"+b.codeIn(m)[3:]); err != nil {
			b.Fatal(err)
		}
		if b.state(email) != contact.Verified || b.get(v.ID).State != verify.Verified {
			b.Errorf("contact %s, verification %s", b.state(email), b.get(v.ID).State)
		}
		wantFault(b.T, b.check(v.ID, b.codeIn(m)), "already-used")
	})
}

func TestACodeBySMSEndsWithTheLineForTheBrowser(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(phone, verify.SMS)
		if want := morning.Add(10 * time.Minute); !v.ExpiresAt.Equal(want) {
			b.Errorf("expires at %v, want %v", v.ExpiresAt, want)
		}
		m := b.message()
		if last := m.Text[strings.LastIndexByte(m.Text, '\n')+1:]; last != "@portal.example.com #"+b.codeIn(m) {
			b.Errorf("the last line is %q", last)
		}
		if m.To != "+447911123456" {
			b.Errorf("to %s", m.To)
		}
		if err := b.check(v.ID, b.codeIn(m)); err != nil {
			b.Fatal(err)
		}
	})
}

// The mainland's template rules allow no such line.
func TestANumberInMainlandChinaGetsNoLineForTheBrowser(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(seller, phone, "+86 138 0013 8000")
		b.mustStart(phone, verify.SMS)
		if m := b.message(); strings.Contains(m.Text, "@") {
			b.Errorf("the text is %q", strings.ReplaceAll(m.Text, b.codeIn(m), "…"))
		}
	})
}

func TestMethodsThatCannotProveTheContactAreRefused(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(seller, phone, "+44 20 7946 0000")
		for _, tc := range []struct {
			slot   contact.Slot
			method verify.Method
			want   string
		}{
			{email, verify.SMS, "method-not-for-slot"},
			{phone, verify.Link, "method-not-for-slot"},
			{phone, verify.Code, "method-not-for-slot"},
			{phone, "pigeon", "method-unknown"},
			{phone, verify.SMS, "no-sms-on-this-line"},
		} {
			_, err := b.start(tc.slot, tc.method)
			wantFault(b.T, err, tc.want)
		}
		_, err := b.startFor("nobody", email, verify.Code)
		wantFault(b.T, err, "unknown-account")
		third, _ := contact.ParseSlot("email-3")
		_, err = b.start(third, verify.Code)
		wantFault(b.T, err, "unknown-contact")
	})
}

func TestWithoutAProviderAMethodIsUnavailable(t *testing.T) {
	onBoth(t, func(b *bench) {
		deaf := verify.New(verify.Options{DB: b.db, Contacts: b.contacts, HasRoute: func(string) bool { return false }, Limits: verify.Default()})
		err := b.db.Write(b.ctx, func(tx *store.Tx) error {
			_, err := deaf.Start(b.Context(), tx, seller, email, verify.Code, key)
			return err
		})
		wantFault(b.T, err, "channel-unavailable")
	})
}

func TestFiveWrongGuessesEndAVerification(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		code := b.code()
		for left := 4; left >= 0; left-- {
			f := wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
			if f.Extra["guesses_left"] != left {
				b.Errorf("guesses_left is %v, want %d", f.Extra["guesses_left"], left)
			}
		}
		wantFault(b.T, b.check(v.ID, code), "too-many-guesses")
		if got := b.get(v.ID); got.State != verify.Exhausted || got.GuessesLeft != 0 {
			b.Errorf("it ended as %+v", got)
		}
		if b.state(email) != contact.Unverified {
			b.Error("the contact is verified")
		}
	})
}

func TestWhatIsNoCodeIsNotCounted(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		for _, typed := range []string{"", "12345", "1234567", "12345a", strings.Repeat("1", 10_000), "١٢٣٤٥٦"} {
			wantFault(b.T, b.check(v.ID, typed), "code-malformed")
		}
		if left := b.get(v.ID).GuessesLeft; left != 5 {
			b.Errorf("%d guesses left, want 5", left)
		}
		wantFault(b.T, b.check("no-such-verification", "123456"), "unknown-verification")
	})
}

func TestAResendKeepsThreeCodesAliveUnderOneCounter(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		all := []string{b.code()}
		pause := 30 * time.Second
		for range 3 {
			_, err := b.resend(v.ID)
			if f := wantFault(b.T, err, "resend-too-soon"); f.RetryAfter != pause {
				b.Errorf("wait %v, want %v", f.RetryAfter, pause)
			}
			b.clock.Advance(pause)
			if _, err := b.resend(v.ID); err != nil {
				b.Fatal(err)
			}
			all = append(all, b.code())
			pause *= 2
		}
		wantFault(b.T, b.check(v.ID, all[0]), "incorrect-code")
		if left := b.get(v.ID).GuessesLeft; left != 4 {
			b.Errorf("%d guesses left, want 4: the counter is shared", left)
		}
		if err := b.check(v.ID, all[1]); err != nil {
			b.Errorf("the oldest of three does not work: %v", err)
		}
	})
}

func TestMessagesAreCapped(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		for range 4 {
			b.clock.Set(b.get(v.ID).ResendAfter)
			if _, err := b.resend(v.ID); err != nil {
				b.Fatal(err)
			}
		}
		b.clock.Set(b.get(v.ID).ResendAfter)
		_, err := b.resend(v.ID)
		if f := wantFault(b.T, err, "too-many-messages"); f.RetryAfter != 0 {
			b.Errorf("after five messages the way on is a new start, and %v says to wait", f.RetryAfter)
		}
		for range 5 {
			v = b.mustStart(email, verify.Code)
			b.clock.Set(v.ResendAfter)
		}
		_, err = b.start(email, verify.Code)
		f := wantFault(b.T, err, "too-many-messages")
		if f.RetryAfter <= 0 || f.RetryAfter > 24*time.Hour {
			b.Errorf("wait %v", f.RetryAfter)
		}
		b.clock.Advance(f.RetryAfter)
		b.mustStart(email, verify.Code)
	})
}

// Strangers who name somebody's address cannot use up what its owner may ask for.
func TestADestinationIsCappedOverStrangersOnly(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		if err := b.check(v.ID, b.code()); err != nil {
			b.Fatal(err)
		}
		refused := 0
		for n := range 21 { // the first message above was a stranger's too
			stranger := "stranger-" + string(rune('a'+n))
			b.seller(stranger, "MEI@example.com")
			_, err := b.startFor(stranger, email, verify.Code)
			if err != nil {
				wantFault(b.T, err, "too-many-messages")
				refused++
			}
		}
		if refused != 2 {
			b.Errorf("%d strangers refused, want 2 of 21", refused)
		}
		b.clock.Advance(time.Hour)
		b.mustStart(email, verify.Code)
	})
}

func TestANewStartSupersedesAfterTheCoolDown(t *testing.T) {
	onBoth(t, func(b *bench) {
		first := b.mustStart(email, verify.Code)
		code := b.code()
		_, err := b.start(email, verify.Code)
		if f := wantFault(b.T, err, "resend-too-soon"); f.RetryAfter != 30*time.Second {
			b.Errorf("wait %v", f.RetryAfter)
		}
		b.clock.Advance(30 * time.Second)
		second := b.mustStart(email, verify.Code)
		wantFault(b.T, b.check(first.ID, code), "superseded")
		_, err = b.resend(first.ID)
		wantFault(b.T, err, "superseded")
		if err := b.check(second.ID, b.code()); err != nil {
			b.Fatal(err)
		}
	})
}

func TestAnExpiredCodeIsGone(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(phone, verify.SMS)
		code := b.code()
		b.clock.Advance(10 * time.Minute)
		wantFault(b.T, b.check(v.ID, code), "expired")
		if got := b.get(v.ID).State; got != verify.Expired {
			b.Errorf("it is %s before the sweep", got)
		}
		if n, err := b.verifier.SweepExpired(b.ctx, 10); n != 1 || err != nil {
			b.Fatalf("swept %d (%v), want 1", n, err)
		}
		wantFault(b.T, b.check(v.ID, code), "expired")
		_, err := b.resend(v.ID)
		wantFault(b.T, err, "expired")
	})
}

func TestAContactThatChangedIsNotVerified(t *testing.T) {
	for _, tc := range []struct {
		name  string
		guess func(code string) string
	}{
		{"by the right code", func(code string) string { return code }},
		{"nor is a wrong code called wrong", other},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onBoth(t, func(b *bench) {
				v := b.mustStart(email, verify.Code)
				code := b.code()
				b.set(seller, email, "other@example.com")
				wantFault(b.T, b.check(v.ID, tc.guess(code)), "contact-changed")
				if b.state(email) != contact.Unverified || b.get(v.ID).State != verify.ContactChanged {
					b.Errorf("contact %s, verification %s", b.state(email), b.get(v.ID).State)
				}
				_, err := b.resend(v.ID)
				wantFault(b.T, err, "contact-changed")
			})
		})
	}
}

// What a slot has run up survives everything that an attacker could do to get rid of it.
func TestNothingButTheRightCodeResetsTheRuns(t *testing.T) {
	onBoth(t, func(b *bench) {
		wrong := 0
		for wrong < 100 {
			v, err := b.start(email, verify.Code)
			if f := id(err); f == "resend-too-soon" || f == "too-many-messages" {
				b.clock.Advance(time.Hour)
				continue
			} else if err != nil {
				b.Fatal(err)
			}
			code := b.code()
			for range 5 {
				wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
				wrong++
			}
			b.write(func(tx *store.Tx) error { return b.contacts.Delete(b.ctx, tx, seller, email, key) })
			b.set(seller, email, "mei@example.com")
			_, err = b.start(email, verify.Code)
			if wrong < 100 {
				wantFault(b.T, err, "resend-too-soon")
			} else {
				wantFault(b.T, err, "slot-locked")
			}
		}
		b.clock.Advance(48 * time.Hour)
		_, err := b.start(email, verify.Code)
		wantFault(b.T, err, "slot-locked")
		b.write(func(tx *store.Tx) error { return b.verifier.Unlock(b.ctx, tx, seller, email, "cli") })
		v := b.mustStart(email, verify.Code)
		if err := b.check(v.ID, b.code()); err != nil {
			b.Fatal(err)
		}
		err = b.db.Write(b.ctx, func(tx *store.Tx) error { return b.verifier.Unlock(b.ctx, tx, seller, email, "cli") })
		wantFault(b.T, err, "not-locked")
	})
}

// Whoever may change contacts must not be able to reset the run of wrong guesses with a code of an address of their own.
func TestARightCodeThatProvesNothingResetsNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		code := b.code()
		for range 4 {
			wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
		}
		b.set(seller, email, "mine@example.com")
		wantFault(b.T, b.check(v.ID, code), "contact-changed")
		if wrong, messages := b.runs(email); wrong != 5 || messages != 1 {
			b.Errorf("the runs are %d and %d, want 5 guesses and 1 message", wrong, messages)
		}
	})
}
