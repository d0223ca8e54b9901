package notice_test

import (
	"strings"
	"testing"
	"time"

	"countersign.dev/channel/deliver"
)

// swing changes the account's mailbox to another one and back, and has each change handled.
func (b *bench) swing(times int, there, back string) {
	b.Helper()
	for range times {
		for _, to := range []string{there, back} {
			b.mailbox(&to)
			b.dispatch()
		}
	}
}

// Whoever an account's changes are told to is written to a few times a day, and no more. There is no dispute code that
// nobody was sent.
func TestAnAccountThatIsSwungWritesALimitedNumberOfTimes(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		stranger, own := "stranger@example.com", mailbox
		b.verified(email, "contact@example.com")
		b.verified(phone, "+447911123456")
		b.verified(phone, "+447911123457")
		b.verified(email2, "former@example.com")
		b.remove(email2)
		b.swing(30, stranger, own)
		told := b.news()
		for to, want := range map[string]int{own: 5, stranger: 5, "contact@example.com": 10, "+447911123457": 10} {
			if n := len(told[to]); n != want {
				b.Errorf("%s was written to %d times, want %d", to, n, want)
			}
		}
		// Each former contact was told that it is one no longer, and both together ten times that something was sent.
		sent := len(told["former@example.com"]) + len(told["+447911123456"])
		if codes := b.count("SELECT COUNT(*) FROM dispute_code"); sent != 12 || codes != sent {
			b.Errorf("%d messages to former contacts and %d dispute codes, want 12 of each", sent, codes)
		}
		b.clock.Advance(24 * time.Hour)
		b.mailbox(&stranger)
		if n := len(b.news()[stranger]); n != 1 {
			b.Errorf("a day later the stranger was told %d times, want once", n)
		}
	})
}

// A new mailbox has an allowance that all accounts share; nobody can use up what another account's old one is told.
func TestANewMailboxIsToldALimitedNumberOfTimesByAllAccounts(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		stranger := "stranger@example.com"
		for range 25 {
			b.account("en")
			b.swing(1, stranger, "own@example.com")
		}
		got := map[bool]int{}
		for _, m := range b.news()[stranger] {
			got[isNew(m)]++
		}
		if got[true] != 20 || got[false] != 25 {
			b.Errorf("told %d times that it is the mailbox, and %d times that it is one no longer; want 20 and 25", got[true], got[false])
		}
	})
}

func isNew(m deliver.Message) bool { return strings.Contains(m.Subject, "is now the mailbox") }

// What a contact was told while it stood there does not use up the code that it gets when it is replaced.
func TestAFormerContactCannotBeTalkedOutOfItsCode(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.verified(email, "victim@example.com")
		b.swing(6, "stranger@example.com", mailbox)
		if n := len(b.news()["victim@example.com"]); n != 10 {
			b.Errorf("the contact in force was told %d times, want 10", n)
		}
		b.verified(email, "thief@example.com")
		if told := b.news()["victim@example.com"]; len(told) != 1 || eightDigits.FindString(told[0].Text) == "" {
			b.Errorf("the former contact got %d messages, want one with a code", len(told))
		}
	})
}
