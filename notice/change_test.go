package notice_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

var (
	eightDigits = regexp.MustCompile(`\b\d{8}\b`)
	reference   = regexp.MustCompile(`CS-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}`)
)

// Who gets what: a word that each recipient's only message has. A word with "no:" in front must not be in it.
func TestThoseConcernedAreTold(t *testing.T) {
	const (
		disputed   = "Staff at Harbourline look at the change"
		page       = "https://portal.example.com/dispute"
		mobile     = "+447911123456"
		otherPhone = "+447911123457"
	)
	nothing := func(*bench) {}
	cases := map[string]struct {
		before func(b *bench) // told of already
		change func(b *bench)
		want   map[string][]string
	}{
		"a contact is set and verified": {
			nothing, func(b *bench) { b.verified(email, "old@example.com") }, nil,
		},
		"a contact that was never verified is replaced and removed": {
			func(b *bench) { b.set(email, "old@example.com") },
			func(b *bench) { b.set(email, "new@example.com"); b.remove(email) }, nil,
		},
		"a change waits": {
			func(b *bench) { b.verified(email, "old@example.com") }, func(b *bench) { b.set(email, "new@example.com") }, nil,
		},
		"an address is changed": {
			func(b *bench) { b.verified(email, "old@example.com") },
			func(b *bench) { b.verified(email, "new@example.com") },
			map[string][]string{
				"old@example.com": {"Another one has taken its place", page, "no:Lotus", "no:n•••", "no:new@"},
				"new@example.com": {"account Lotus Trading", "place of o•••@example.com", "no:dispute code"},
				mailbox:           {"Before: o•••@example.com", "Now: n•••@example.com", "signed in to the account", "no:old@", "no:new@"},
			},
		},
		"a number is changed": {
			func(b *bench) { b.verified(phone, mobile) },
			func(b *bench) { b.verified(phone, otherPhone) },
			map[string][]string{
				mobile:     {"no longer an emergency contact", page, "no:Lotus", "no:3457"},
				otherPhone: {"account Lotus Trading"},
				mailbox:    {"emergency phone number", "Before: +44 79 •••• 3456", "Now: +44 79 •••• 3457"},
			},
		},
		"an address is removed": {
			func(b *bench) { b.verified(email2, "old@example.com") },
			func(b *bench) { b.remove(email2) },
			map[string][]string{
				"old@example.com": {"It has been removed", page, "no:Lotus"},
				mailbox:           {"emergency e-mail address 2", "Before: o•••@example.com", "no:Now:"},
			},
		},
		"a number is removed": {
			func(b *bench) { b.verified(phone, mobile) },
			func(b *bench) { b.remove(phone) },
			map[string][]string{mobile: {"was removed", page}, mailbox: {"emergency phone number"}},
		},
		"others are in force when an address is changed": {
			func(b *bench) {
				b.verified(email, "old@example.com")
				b.verified(email2, "other@example.com")
				b.verified(phone, mobile)
				b.verified(slot("email-3"), "bounced@example.com")
				b.downgrade(slot("email-3"), contact.Bounced)
				b.set(slot("phone-2"), otherPhone)
			},
			func(b *bench) { b.verified(email, "new@example.com") },
			map[string][]string{
				"old@example.com":   {page},
				"new@example.com":   {"account Lotus Trading"},
				mailbox:             {"Now: n•••@example.com"},
				"other@example.com": {"contact of the account Lotus Trading", "Before: o•••@example.com", "Now: n•••@example.com", "no:old@", "no:new@", "no:/dispute"},
				mobile:              {"contact of the account Lotus Trading was changed", "no:/dispute"},
			},
		},
		"others are in force when a number is removed": {
			func(b *bench) {
				b.verified(phone, mobile)
				b.verified(slot("phone-2"), otherPhone)
				b.verified(email, "other@example.com")
			},
			func(b *bench) { b.remove(phone) },
			map[string][]string{
				mobile:              {"was removed", page, "no:Lotus"},
				mailbox:             {"emergency phone number"},
				otherPhone:          {"contact of the account Lotus Trading was removed", "no:/dispute"},
				"other@example.com": {"contact of the account Lotus Trading", "Before: +44 79 •••• 3456", "no:Now:"},
			},
		},
		"others are in force when a change is disputed": {
			func(b *bench) {
				b.verified(email2, "other@example.com")
				b.verified(phone, mobile)
				b.verified(email, "old@example.com")
				b.verified(email, "new@example.com")
			},
			func(b *bench) { b.dispute(email) },
			map[string][]string{
				"old@example.com": {disputed}, "new@example.com": {disputed}, mailbox: {disputed},
				"other@example.com": {disputed, "account Lotus Trading", "Before: o•••@example.com", "Now: n•••@example.com"},
				mobile:              {"account Lotus Trading", "no:/dispute"},
			},
		},
		"a change is disputed": {
			func(b *bench) { b.verified(email, "old@example.com"); b.verified(email, "new@example.com") },
			func(b *bench) { b.dispute(email) },
			map[string][]string{
				"old@example.com": {disputed, "no:Lotus", "no:n•••", "no:/dispute"},
				"new@example.com": {disputed, "account Lotus Trading", "no:/dispute"},
				mailbox:           {disputed, "Before: o•••@example.com", "Now: n•••@example.com"},
			},
		},
		"a removal is disputed, and the slot has another contact": {
			func(b *bench) {
				b.verified(email, "old@example.com")
				b.remove(email)
				b.verified(email, "new@example.com")
			},
			func(b *bench) { b.dispute(email) },
			map[string][]string{
				"old@example.com": {disputed}, mailbox: {disputed},
				"new@example.com": {disputed, "a change of an emergency contact"},
			},
		},
		"the mailbox is changed": {
			func(b *bench) {
				b.verified(email, "one@example.com")
				b.set(email2, "two@example.com")
				b.verified(phone, mobile)
			},
			func(b *bench) { to := "next@example.com"; b.mailbox(&to) },
			map[string][]string{
				mailbox:            {"no longer is", "no:Lotus", "no:n•••"},
				"next@example.com": {"account seller-", "no:Lotus", "no:m•••"},
				mobile:             {"mailbox of the account Lotus Trading"},
				"one@example.com":  {"emergency contact of the account", "Before: m•••@example.com", "Now: n•••@example.com", "platform's own systems"},
			},
		},
		"the mailbox is removed": {
			func(b *bench) { b.verified(email, "one@example.com") },
			func(b *bench) { b.mailbox(nil) },
			map[string][]string{mailbox: {"no longer is"}, "one@example.com": {"Now: none"}},
		},
		"the mailbox is set for the first time": {
			func(b *bench) { b.mailbox(nil) }, func(b *bench) { to := mailbox; b.mailbox(&to) }, nil,
		},
		"the mailbox is spelled otherwise": {
			nothing, func(b *bench) { to := "Mailbox@example.com"; b.mailbox(&to) }, nil,
		},
	}
	engines(t, func(b *bench) {
		b.run()
		for name, tc := range cases {
			b.account("en")
			tc.before(b)
			b.news()
			tc.change(b)
			got := b.news()
			for to, messages := range got {
				if len(tc.want[to]) == 0 || len(messages) != 1 {
					b.Errorf("%s: %s got %d messages, of which the first says:\n%s", name, to, len(messages), messages[0].Text)
				}
			}
			for to, words := range tc.want {
				if len(got[to]) > 0 {
					wantWords(b.T, name, got[to][0], words)
				} else {
					b.Errorf("%s: %s got nothing", name, to)
				}
			}
		}
	})
}

func wantWords(t *testing.T, name string, m deliver.Message, words []string) {
	t.Helper()
	for _, word := range words {
		word, not := strings.CutPrefix(word, "no:")
		if strings.Contains(m.Subject+m.Text+m.HTML, word) == not {
			t.Errorf("%s: %s: %q in the message: %v\n%s\n%s", name, m.To, word, !not, m.Subject, m.Text)
		}
	}
	if m.Class != string(notice.ClassCritical) || m.Channel == deliver.Email && !strings.Contains(m.Text, m.Reference) {
		t.Errorf("%s: %s: class %s, reference %s", name, m.To, m.Class, m.Reference)
	}
}

// What the former contact is sent is what it needs to dispute the change, by mail and by text message, for the account
// and from a page that asks for nothing else.
func TestTheFormerContactCanDispute(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.verified(email, "old@example.com")
		b.verified(phone, "+447911123456")
		b.verified(email, "new@example.com")
		b.verified(phone, "+447911123457")
		sent := b.news()
		for _, to := range []string{"old@example.com", "+447911123456"} {
			text := sent[to][0].Text
			ref, code := reference.FindString(text), eightDigits.FindString(text)
			d, err := b.contacts.DisputeByCode(b.Context(), b.db, ref, code, event.System)
			if err != nil || d.Again || d.Account != b.seller {
				b.Errorf("%s: reference %q, code %q: %+v, %v", to, ref, code, d, err)
			}
			if sent[to][0].Reference != ref {
				b.Errorf("%s: the notice's reference is %s, the text's %s", to, sent[to][0].Reference, ref)
			}
		}
		// Each dispute is told to the mailbox, to both contacts that it is about, and to both of the other change.
		if n := len(recipients(b.news())); n != 10 {
			b.Errorf("two disputes are told in %d messages, want 10", n)
		}
	})
}

// A contact that was proved not to work gets nothing but a new verification, whenever that was found out.
func TestAFormerContactThatFailedIsNotWrittenTo(t *testing.T) {
	cases := map[string]struct {
		reason contact.Reason
		leave  func(b *bench)
		told   bool
	}{
		"bounced, replaced at once":         {contact.Bounced, func(b *bench) { b.set(email, "new@example.com") }, false},
		"complained, then another verified": {contact.Complaint, func(b *bench) { b.verified(email, "new@example.com") }, false},
		"disputed, removed":                 {contact.Disputed, func(b *bench) { b.remove(email) }, false},
		"grown old, removed":                {contact.Expired, func(b *bench) { b.remove(email) }, true},
		"grown old, then another verified":  {contact.Expired, func(b *bench) { b.verified(email, "new@example.com") }, true},
		"bounced while a change waits":      {contact.Bounced, func(b *bench) { b.verified(email, "new@example.com") }, false},
	}
	engines(t, func(b *bench) {
		b.run()
		for name, tc := range cases {
			b.account("en")
			b.verified(email, "old@example.com")
			if strings.Contains(name, "waits") {
				b.set(email, "new@example.com")
			}
			if tc.reason == contact.Expired {
				b.expire()
			} else {
				b.downgrade(email, tc.reason)
			}
			tc.leave(b)
			if _, told := b.news()["old@example.com"]; told != tc.told {
				b.Errorf("%s: told: %v", name, told)
			}
		}
		b.account("en") // one that bounced and works again
		b.verified(email, "old@example.com")
		b.downgrade(email, contact.Bounced)
		b.prove(email)
		b.remove(email)
		if to := recipients(b.news()); !slices.Equal(to, []string{mailbox, "old@example.com"}) {
			b.Errorf("of the removal of one that works again told: %v", to)
		}
	})
}

// A contact that nobody has proved is a stranger's.
func TestAnUnverifiedNewContactIsNotTold(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.verified(email, "old@example.com")
		b.downgrade(email, contact.Bounced)
		b.set(email, "new@example.com")
		if to := recipients(b.news()); !slices.Equal(to, []string{mailbox}) {
			b.Errorf("told: %v", to)
		}
	})
}

func TestPhonesThatGetNoTextMessagesAreSkipped(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.verified(phone, "+442079460000") // a fixed line
		b.verified(phone, "+447911123456")
		b.verified(phone, "+442079460001")
		if to := recipients(b.news()); !slices.Equal(to, []string{"+447911123456", "+447911123456", mailbox, mailbox}) {
			b.Errorf("told: %v", to)
		}
	})
	engines(t, func(b *bench) { // without a provider
		b.run()
		b.verified(phone, "+447911123456")
		b.remove(phone)
		if to := recipients(b.news()); !slices.Equal(to, []string{mailbox}) {
			b.Errorf("told: %v", to)
		}
	}, deliver.Email)
}

// Whoever takes an account over step by step is seen by the first contact at each step, until its window ends.
func TestALaterChangeShortensNoWindow(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.verified(email, "first@example.com")
		b.verified(email, "second@example.com")
		b.news()
		b.clock.Advance(48 * time.Hour)
		b.verified(email, "third@example.com")
		sent := b.news()
		if len(sent["second@example.com"]) != 1 || len(sent["first@example.com"]) != 1 {
			b.Fatalf("told: %v", recipients(sent))
		}
		m := sent["first@example.com"][0]
		wantWords(b.T, "a later change", m, []string{"Its topic: an emergency contact was changed", "/dispute", "no:Lotus", "no:third", "no:t•••"})
		ref, code := reference.FindString(m.Text), eightDigits.FindString(m.Text)
		d, err := b.contacts.DisputeByCode(b.Context(), b.db, ref, code, event.System)
		if err != nil || !d.ChangedAt.Before(b.clock.Now().Add(-48*time.Hour)) {
			b.Errorf("its code disputes %+v: %v", d, err)
		}
		b.news()
		b.clock.Advance(24 * time.Hour)
		to := "next@example.com"
		b.mailbox(&to)
		sent = b.news()
		if len(sent["second@example.com"]) != 1 || len(sent["first@example.com"]) != 0 {
			b.Errorf("a day later told: %v", recipients(sent))
		}
	})
}

// Whoever has several parts in a change is told once in full, and is told as the former contact besides.
func TestAnAddressWithSeveralParts(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.verified(email, "one@example.com")
		b.verified(email, mailbox)
		sent := b.news()
		if to := recipients(sent); !slices.Equal(to, []string{mailbox, "one@example.com"}) {
			b.Errorf("the contact becomes the mailbox; told: %v", to)
		}
		b.verified(email, "one@example.com")
		sent = b.news()
		if to := recipients(sent); !slices.Equal(to, []string{mailbox, mailbox, "one@example.com"}) {
			b.Errorf("and is it no longer; told: %v", to)
		}
		to := "ONE@example.com"
		b.mailbox(&to)
		if to := recipients(b.news()); !slices.Equal(to, []string{"ONE@example.com", mailbox}) {
			b.Errorf("the mailbox becomes the contact; told: %v", to)
		}
	})
}

// An event may be handed twice, one after the other or at once.
func TestAnEventIsToldOnce(t *testing.T) {
	engines(t, func(b *bench) {
		b.verified(email, "old@example.com")
		b.verified(email, "new@example.com")
		to := "next@example.com"
		b.mailbox(&to)
		b.dispatch()
		stored := b.count("SELECT COUNT(*) FROM notice")
		for range 2 {
			b.handAll()
		}
		if n := b.count("SELECT COUNT(*) FROM notice"); stored != 7 || n != stored {
			b.Errorf("%d notices, and %d when handed again; want 7 and 7", stored, n)
		}
	})
	engines(t, func(b *bench) {
		b.verified(email, "old@example.com")
		b.verified(email, "new@example.com")
		var both sync.WaitGroup
		for range 2 {
			both.Go(b.handAll)
		}
		both.Wait()
		for table, want := range map[string]int{"notice": 3, "delivery": 3, "dispute_code": 1} {
			if n := b.count("SELECT COUNT(*) FROM " + table); n != want {
				b.Errorf("%d rows in %s, want %d", n, table, want)
			}
		}
	})
}

// handAll hands the account's events to the registry, whoever has handled them.
func (b *bench) handAll() {
	var all []event.Event
	err := b.db.Read(b.Context(), func(tx *store.Tx) (err error) {
		all, err = event.OfAccount(b.Context(), tx, b.seller, "", 100)
		return err
	})
	for _, e := range all {
		if err == nil && slices.Contains(notice.ChangeEvents, e.Type) {
			err = b.db.Write(b.Context(), func(tx *store.Tx) error { return b.notices.OnChange(b.Context(), tx, e) })
		}
	}
	if err != nil {
		b.Error(err)
	}
}

func TestAnErasedAccountIsToldNothing(t *testing.T) {
	engines(t, func(b *bench) {
		b.verified(email, "old@example.com")
		b.verified(email, "new@example.com")
		b.mailbox(nil)
		b.write(func(ctx context.Context, tx *store.Tx) error { return b.accounts.Erase(ctx, tx, b.seller, "key:test") })
		b.dispatch()
		if n := b.count("SELECT COUNT(*) FROM notice"); n != 0 {
			b.Errorf("%d notices", n)
		}
		if n := b.count("SELECT COUNT(*) FROM event WHERE unhandled"); n != 0 || b.log.Len() > 0 {
			b.Errorf("%d events are left; the log says:\n%s", n, b.log)
		}
	})
}
