package verify_test

import (
	"sync"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// happened counts the seller's events of a type.
func (b *bench) happened(name string) (n int) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		events, err := event.OfAccount(b.ctx, tx, seller, "", 100)
		for _, e := range events {
			if e.Type == name {
				n++
			}
		}
		return err
	})
	return n
}

// atOnce runs fn n times, all released by one gate, and counts what the calls answered.
func atOnce(n int, fn func(i int) error) map[string]int {
	answers := make([]error, n)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			answers[i] = fn(i)
		})
	}
	close(gate)
	all.Wait()
	counted := map[string]int{}
	for _, err := range answers {
		counted[id(err)]++
	}
	return counted
}

func TestOfSixteenRightGuessesAtOnceOneWins(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		code := b.code()
		got := atOnce(16, func(int) error { return b.check(v.ID, code) })
		if got[""] != 1 || got["incorrect-code"] != 0 {
			b.Errorf("answers %v, want one success and no wrong guess", got)
		}
	})
}

func TestOfThirtyTwoWrongGuessesAtOnceFiveCount(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		code := b.code()
		got := atOnce(32, func(int) error { return b.check(v.ID, other(code)) })
		if got["incorrect-code"] != 5 || got["too-many-guesses"] != 27 {
			b.Errorf("answers %v, want 5 counted and 27 refused", got)
		}
		wantFault(b.T, b.check(v.ID, code), "too-many-guesses")
	})
}

// A link counts no guess and a code counts one; whichever comes first uses up both.
func TestOfLinksAndCodesAtOnceOneWins(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		code := b.mustOpen(token)
		got := atOnce(16, func(i int) error {
			if i%2 == 0 {
				return b.confirm(token)
			}
			return b.check(v.ID, code)
		})
		if got[""] != 1 || got["incorrect-code"] != 0 || got["unknown-link"] != 0 {
			b.Errorf("answers %v, want one success and no wrong guess", got)
		}
		if n := b.happened("verification.verified"); n != 1 {
			b.Errorf("verified %d times", n)
		}
	})
}

// Either the link is in time, or the guesses were used up before it and it proves nothing.
func TestALinkBesideTheLastWrongGuess(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		code := b.mustOpen(token)
		for range 4 {
			wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
		}
		got := atOnce(8, func(i int) error {
			if i%2 == 0 {
				return b.confirm(token)
			}
			return b.check(v.ID, other(code))
		})
		if want := map[bool]verify.State{true: verify.Verified, false: verify.Exhausted}[got[""] == 1]; got[""] > 1 || b.get(v.ID).State != want {
			b.Errorf("answers %v, and it is %s", got, b.get(v.ID).State)
		}
	})
}

func TestOfManyStartsAtOnceOneSends(t *testing.T) {
	onBoth(t, func(b *bench) {
		got := atOnce(16, func(int) error { _, err := b.start(email, verify.Code); return err })
		if got[""] != 1 || got["resend-too-soon"] != 15 {
			b.Errorf("answers %v, want one start and 15 too soon", got)
		}
	})
}

func TestOfManyResendsAtOnceOneSends(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Code)
		b.clock.Advance(time.Minute)
		got := atOnce(16, func(int) error { _, err := b.resend(v.ID); return err })
		if got[""] != 1 || got["resend-too-soon"] != 15 {
			b.Errorf("answers %v, want one resend and 15 too soon", got)
		}
	})
}

// A proof and a change of the contact that come together must not verify an address that nobody proved.
func TestAChangeBesideAProofNeverVerifiesTheNewAddress(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.mustStart(email, verify.Link)
		token := b.link()
		code := b.mustOpen(token)
		atOnce(3, func(i int) error {
			switch i {
			case 0:
				return b.check(v.ID, code)
			case 1:
				return b.confirm(token)
			}
			return b.db.Write(b.ctx, func(tx *store.Tx) error {
				_, _, err := b.contacts.Set(b.ctx, tx, seller, email, "new@example.com", "", key)
				return err
			})
		})
		b.write(func(tx *store.Tx) error {
			_, all, err := b.contacts.All(b.ctx, tx, seller)
			for _, k := range all {
				if k.Slot == email && k.State == contact.Verified && k.String() == "new@example.com" {
					b.Error("the new address is verified")
				}
			}
			return err
		})
	})
}

// Two nodes on one database share every limit: whatever is refused on one is refused on the other.
func TestTwoNodesShareTheLimits(t *testing.T) {
	clock := apptest.NewClock(morning)
	url, keyset := apptest.URL(t, store.PostgreSQL), t.TempDir()+"/keys"
	var nodes [2]*bench
	for i := range nodes {
		db, err := store.Open(t.Context(), store.Options{URL: url, Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		nodes[i] = newBench(t, db, clock, keyset)
		nodes[i].run()
	}
	a, b := nodes[0], nodes[1]
	a.seller(seller, "mei@example.com")

	v := a.mustStart(email, verify.Code)
	code := a.code()
	_, err := b.start(email, verify.Code)
	wantFault(t, err, "resend-too-soon")
	got := atOnce(32, func(i int) error { return nodes[i%2].check(v.ID, other(code)) })
	if got["incorrect-code"] != 5 || got["too-many-guesses"] != 27 {
		t.Errorf("over both nodes: %v, want 5 counted and 27 refused", got)
	}
	wantFault(t, b.check(v.ID, code), "too-many-guesses")

	sent := 1
	for n := range 24 {
		node := nodes[n%2]
		clock.Advance(2 * time.Hour / 24)
		if _, err := node.start(email, verify.Code); err == nil {
			sent++
		}
		stranger := "stranger-" + string(rune('a'+n))
		node.seller(stranger, "mei@example.com")
		if _, err := node.startFor(stranger, email, verify.Code); err == nil {
			sent++
		}
	}
	if sent != 20 {
		t.Errorf("%d messages went to one destination over both nodes, want 20", sent)
	}
}
