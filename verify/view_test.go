package verify_test

import (
	"strings"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// as runs a read in the name of an account, as its own pages do.
func (b *bench) as(id string, read func(tx *store.Tx, acc account.Account) error) error {
	return b.db.Read(b.ctx, func(tx *store.Tx) error {
		acc, err := b.accounts.Get(b.ctx, tx, id)
		if err != nil {
			b.Fatal(err)
		}
		return read(tx, acc)
	})
}

func (b *bench) forHolder(holder, id string) (v verify.Verification, err error) {
	err = b.as(holder, func(tx *store.Tx, acc account.Account) (err error) {
		v, err = b.verifier.ForHolder(b.ctx, tx, acc, id)
		return err
	})
	return v, err
}

func (b *bench) pending(id string) (pending map[contact.Slot]verify.Verification) {
	b.Helper()
	err := b.as(id, func(tx *store.Tx, acc account.Account) (err error) {
		pending, err = b.verifier.Pending(b.ctx, tx, acc)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return pending
}

// awaitHeld polls a verification of the seller until the record of its message is written, which is behind the send.
func (b *bench) awaitHeld(id string, want func(verify.Verification) bool) (v verify.Verification) {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		var err error
		if v, err = b.forHolder(seller, id); err != nil {
			b.Fatal(err)
		}
		if want(v) {
			return v
		}
	}
	b.Fatalf("the verification stays %+v", v)
	return v
}

func TestTheHolderSeesWhatTheOtherSideSaid(t *testing.T) {
	for address, want := range map[string]struct{ delivery, words string }{
		refusing:          {"refused", "550 no such user " + refusing},
		delaying:          {"queued", "451 try again later"},
		"mei@example.com": {"accepted", ""},
	} {
		t.Run(want.delivery, func(t *testing.T) {
			onBoth(t, func(b *bench) {
				b.set(seller, email, address)
				started := b.mustStart(email, verify.Link)
				v := b.awaitHeld(started.ID, func(v verify.Verification) bool { return v.Delivery == want.delivery && v.Words == want.words })
				if v.Attempts != 1 || v.State != verify.Pending || v.Slot != email || v.GuessesLeft != 5 || !v.ResendAfter.Equal(started.ResendAfter) {
					b.Errorf("the holder sees %+v", v)
				}
				if later := v.DeliveryAt.After(morning); v.Version == 0 || later != (want.delivery == "queued") {
					b.Errorf("of version %d; the message is due or done at %v", v.Version, v.DeliveryAt)
				}
				if got := b.pending(seller); len(got) != 1 || got[email] != v {
					b.Errorf("pending is %+v, and the one %+v", got, v)
				}
				if got := b.get(started.ID); got.Words != "" || got.Attempts != 1 {
					b.Errorf("others see %+v", got)
				}
			})
		})
	}
}

func TestAVerificationOfAnotherAccountIsUnknown(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.seller("seller-2", "other@example.com")
		v := b.mustStart(email, verify.Code)
		_, strange := b.forHolder("seller-2", v.ID)
		_, none := b.forHolder("seller-2", strings.Repeat("0", 26))
		wantFault(b.T, strange, "unknown-verification")
		if strange.Error() != none.Error() {
			b.Errorf("%v for another's, %v for none", strange, none)
		}
		if got := b.pending("seller-2"); len(got) != 0 {
			b.Errorf("the other account sees %+v", got)
		}
	})
}

func TestPendingIsWhatCanStillProveSomething(t *testing.T) {
	onBoth(t, func(b *bench) {
		if got := b.pending(seller); len(got) != 0 {
			b.Errorf("before any: %+v", got)
		}
		first := b.mustStart(email, verify.Code)
		code := b.code()
		b.clock.Set(first.ResendAfter)
		second := b.mustStart(email, verify.Link)
		b.link()
		text := b.mustStart(phone, verify.SMS)
		wantFault(b.T, b.check(first.ID, code), "superseded")
		if got := b.pending(seller); len(got) != 2 || got[email].ID != second.ID || got[phone].ID != text.ID {
			b.Errorf("pending: %+v", got)
		}
		code = b.code()
		for range 5 {
			wantFault(b.T, b.check(text.ID, other(code)), "incorrect-code")
		}
		if got := b.pending(seller); len(got) != 1 {
			b.Errorf("after the phone's guesses are used up: %+v", got)
		}
		b.clock.Set(second.ExpiresAt)
		if got := b.pending(seller); len(got) != 0 {
			b.Errorf("after its time and before the sweep: %+v", got)
		}
	})
}

// A double click: the second start is refused with the time to wait, and the first is there to be shown.
func TestAStartThatCameTwiceIsFound(t *testing.T) {
	onBoth(t, func(b *bench) {
		first := b.mustStart(email, verify.Code)
		_, err := b.start(email, verify.Code)
		f := wantFault(b.T, err, "resend-too-soon")
		if got := b.pending(seller)[email]; got.ID != first.ID || !got.ResendAfter.Equal(morning.Add(f.RetryAfter)) {
			b.Errorf("wait %v, and pending is %+v", f.RetryAfter, got)
		}
	})
}
