package contact_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/digits"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// References as notice draws them; nothing here reads them.
const (
	known   = "CS-7K3M-9QXT-2V"
	unknown = "CS-0000-0000-00"
)

const oldAddress = "the address that stood there before"

// swap has the e-mail contact replaced and returns the code that its old address was told with a reference.
func (b *bundle) swap(t *testing.T, reference string) (code string) {
	t.Helper()
	b.set(t, email, "old@example.com")
	b.verify(t, email)
	b.set(t, email, "new@example.com")
	b.verify(t, email)
	return b.code(t, reference)
}

// code makes the dispute code for the newest change.
func (b *bundle) code(t *testing.T, reference string) (code string) {
	t.Helper()
	open := b.windows(t)
	w := open[len(open)-1]
	b.write(t, func(ctx context.Context, tx *store.Tx) error {
		acc, err := b.accounts.Get(ctx, tx, seller)
		if err != nil {
			return err
		}
		var expires time.Time
		if code, expires = b.NewDisputeCode(tx, acc, w, reference); expires != tx.Now().Add(30*day) {
			t.Errorf("the code lives until %v", expires)
		}
		return nil
	})
	b.news(t, seller)
	return code
}

func (b *bundle) byCode(t *testing.T, reference, code string) (contact.Dispute, error) {
	t.Helper()
	return b.DisputeByCode(t.Context(), b.db, reference, code, oldAddress)
}

func (b *bundle) dispute(t *testing.T, id string, s contact.Slot) (d contact.Dispute, err error) {
	t.Helper()
	err = b.try(t, func(ctx context.Context, tx *store.Tx) (err error) {
		d, err = b.Dispute(ctx, tx, id, s, actor)
		return err
	})
	return d, err
}

// wrong returns a code that is not the given one.
func wrong(code string) string {
	if code == "00000000" {
		return "00000001"
	}
	return "00000000"
}

func TestTheOldContactDisputesOnceAndChangesNothing(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		code := b.swap(t, known)
		before := b.target(t, email).Contact
		changed := b.clock.Now()
		b.clock.Advance(time.Hour)
		d, err := b.byCode(t, known, code)
		want := contact.Dispute{Account: seller, Slot: email, Kind: contact.Changed, ChangedAt: changed, At: b.clock.Now()}
		if err != nil || d != want {
			t.Errorf("got %+v, %v, want %+v", d, err, want)
		}
		e := b.wantNews(t, "contact.disputed")["contact.disputed"]
		if e.Subject != "email" || e.Actor != oldAddress || e.Body["slot"] != "email" || e.Body["kind"] != "email" || len(e.Body) != 3 {
			t.Errorf("event %+v", e)
		}
		if _, w, err := b.change(t, e); err != nil || w.Old.String() != "old@example.com" {
			t.Errorf("the event leads to %+v, %v", w, err)
		}
		if after := b.target(t, email).Contact; after != before {
			t.Errorf("the contact went from %+v to %+v", before, after)
		}
		b.clock.Advance(time.Hour)
		want.Again = true
		if d, err := b.byCode(t, known, code); err != nil || d != want {
			t.Errorf("again: %+v, %v, want %+v", d, err, want)
		}
		if d, err := b.dispute(t, seller, email); err != nil || d != want {
			t.Errorf("again by the platform: %+v, %v", d, err)
		}
		b.wantNews(t)
	})
}

func TestARemovalIsDisputedToo(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, phone, "+44 7400 123456")
		b.verify(t, phone)
		b.delete(t, phone)
		code := b.code(t, known)
		b.clock.Advance(29 * day) // the window is closed and the code still works
		d, err := b.byCode(t, known, code)
		if err != nil || d.Slot != phone || d.Kind != contact.Removed || d.ChangedAt != start {
			t.Errorf("got %+v, %v", d, err)
		}
		if e := b.wantNews(t, "contact.disputed")["contact.disputed"]; e.Body["kind"] != "phone" {
			t.Errorf("event %+v", e)
		}
	})
}

func TestEachMessageAboutAChangeHasItsCode(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		const second = "CS-9QXT-7K3M-2V"
		one := b.swap(t, known)
		two := b.code(t, second)
		if _, err := b.byCode(t, known, two); one != two && !fault.Is(err, "dispute-not-matched") {
			t.Errorf("the code of another message: %v", err)
		}
		first, err := b.byCode(t, second, two)
		if err != nil || first.Again {
			t.Errorf("got %+v, %v", first, err)
		}
		if again, err := b.byCode(t, known, one); err != nil || !again.Again || again.At != first.At {
			t.Errorf("got %+v, %v", again, err)
		}
		b.wantNews(t, "contact.disputed")
	})
}

// Nothing in the answer tells a reference that there is from one that nobody drew, try by try.
func TestAnUnknownReferenceAnswersAsAWrongCodeDoes(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		code := b.swap(t, known)
		for n := 1; n <= 25; n++ {
			ctx, count := store.WithCount(t.Context())
			_, here := b.DisputeByCode(ctx, b.db, known, wrong(code), oldAddress)
			spent := count.Statements.Swap(0)
			_, there := b.DisputeByCode(ctx, b.db, unknown, wrong(code), oldAddress)
			if diff := cmp.Diff(*fault.From(here), *fault.From(there), cmpopts.IgnoreUnexported(fault.Error{})); diff != "" {
				t.Errorf("try %d: %s", n, diff)
			}
			if spent != count.Statements.Load() {
				t.Errorf("try %d: %d statements and %d", n, spent, count.Statements.Load())
			}
			if n <= 20 {
				wantFault(t, here, "dispute-not-matched", "code")
			} else {
				wantFault(t, here, "too-many-dispute-tries", "")
			}
		}
		_, err := b.byCode(t, known, code)
		wantFault(t, err, "too-many-dispute-tries", "")
		b.clock.Advance(30 * day) // when the tries begin anew the code is over
		_, err = b.byCode(t, known, code)
		wantFault(t, err, "dispute-not-matched", "code")
		b.wantNews(t)
	})
}

func TestTheTwentiethTryMayBeRight(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		code := b.swap(t, known)
		for range 30 {
			_, err := b.byCode(t, known, "1234 567")
			wantFault(t, err, "dispute-code-malformed", "code") // and not counted
		}
		for range 19 {
			_, err := b.byCode(t, known, wrong(code))
			wantFault(t, err, "dispute-not-matched", "code")
		}
		if d, err := b.byCode(t, known, code); err != nil || d.Again {
			t.Errorf("got %+v, %v", d, err)
		}
	})
}

func TestACodeEndsWithItsTimeAndItsAccount(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		code := b.swap(t, known)
		b.clock.Advance(30*day - time.Second)
		if _, err := b.byCode(t, known, code); err != nil {
			t.Errorf("in its last second: %v", err)
		}
		b.clock.Advance(time.Second)
		_, err := b.byCode(t, known, code)
		wantFault(t, err, "dispute-not-matched", "code")

		b.delete(t, email)
		const second = "CS-9QXT-7K3M-2V"
		code = b.code(t, second)
		if n := b.count(t, "SELECT COUNT(*) FROM dispute_code"); n != 1 {
			t.Errorf("%d codes are kept, want the new one", n)
		}
		b.write(t, func(ctx context.Context, tx *store.Tx) error { return b.accounts.Erase(ctx, tx, seller, actor) })
		_, err = b.byCode(t, second, code)
		wantFault(t, err, "dispute-not-matched", "code")
		for _, table := range []string{"contact_change", "dispute_code", "dispute"} {
			if n := b.count(t, "SELECT COUNT(*) FROM "+table); n != 0 {
				t.Errorf("%s has %d rows of the erased account", table, n)
			}
		}
	})
}

func TestOfSixteenRightAnswersAtOnceOneCounts(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		code := b.swap(t, known)
		answers := make(chan contact.Dispute, 16)
		atOnce(16, func() {
			d, err := b.byCode(t, known, code)
			if err != nil {
				t.Error(err)
			}
			answers <- d
		})
		close(answers)
		first := 0
		for d := range answers {
			if !d.Again {
				first++
			}
			if d.Account != seller || d.At != start {
				t.Errorf("got %+v", d)
			}
		}
		if n := b.count(t, "SELECT COUNT(*) FROM event WHERE type = 'contact.disputed'"); first != 1 || n != 1 {
			t.Errorf("%d of them were the first, and it was told %d times", first, n)
		}
	})
}

// Two nodes on one database share the count of tries.
func TestTwoNodesCountTriesTogether(t *testing.T) {
	clock := apptest.NewClock(start)
	url, dir := apptest.URL(t, store.PostgreSQL), t.TempDir()
	var nodes [2]*bundle
	for i := range nodes {
		db, err := store.Open(t.Context(), store.Options{URL: url, Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		accounts := account.New(account.Options{Keys: keys})
		nodes[i] = &bundle{contact.New(contact.Options{Keys: keys, Accounts: accounts}), accounts, keys, db, clock, map[string]bool{}}
	}
	nodes[0].account(t, seller)
	code := nodes[0].swap(t, known)
	tries := make(chan error, 64)
	for i := range nodes {
		go atOnce(32, func() {
			_, err := nodes[i].byCode(t, known, wrong(code))
			tries <- err
		})
	}
	counted := map[string]int{}
	for range cap(tries) {
		counted[fault.From(<-tries).ID]++
	}
	if counted["dispute-not-matched"] != 20 || counted["too-many-dispute-tries"] != 44 {
		t.Errorf("answers %v, want 20 counted and 44 refused", counted)
	}
}

func TestThePlatformVouches(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		refused := func(id string, s contact.Slot, want string) {
			t.Helper()
			_, err := b.dispute(t, id, s)
			wantFault(t, err, want, "")
		}
		refused("nobody", email, "unknown-account")
		b.set(t, email, "one@example.com")
		b.verify(t, email)
		b.set(t, email, "two@example.com")
		refused(seller, email, "nothing-to-dispute") // the new value waits: nothing has changed
		b.verify(t, email)
		b.clock.Advance(time.Minute)
		b.set(t, email, "three@example.com")
		b.verify(t, email)
		b.news(t, seller)
		refused(seller, phone, "nothing-to-dispute")

		d, err := b.dispute(t, seller, email)
		want := contact.Dispute{Account: seller, Slot: email, Kind: contact.Changed, ChangedAt: b.clock.Now(), At: b.clock.Now()}
		if err != nil || d != want {
			t.Errorf("got %+v, %v, want %+v", d, err, want)
		}
		e := b.wantNews(t, "contact.disputed")["contact.disputed"]
		if _, w, err := b.change(t, e); err != nil || w.Old.String() != "two@example.com" || e.Actor != actor {
			t.Errorf("the newest change was not meant: %+v, %v", w, err)
		}
		b.clock.Advance(3 * day)
		refused(seller, email, "nothing-to-dispute")
	})
}

func TestCodesAreEightDigitsAndRestAsAHash(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.swap(t, known)
		seen := map[string]bool{}
		b.write(t, func(ctx context.Context, tx *store.Tx) error {
			acc, err := b.accounts.Get(ctx, tx, seller)
			if err != nil {
				return err
			}
			w := b.windowsIn(ctx, t, tx)[0]
			for i := range 200 {
				code, _ := b.NewDisputeCode(tx, acc, w, string(rune('a'+i)))
				if read, ok := digits.Read(code, 8); !ok || read != code {
					t.Errorf("%q is no code", code)
				}
				seen[code] = true
			}
			return nil
		})
		if len(seen) < 199 {
			t.Errorf("of 200 codes only %d differ", len(seen))
		}
		if n := b.count(t, "SELECT COUNT(*) FROM dispute_code WHERE LENGTH(hash) = 32"); n != 201 {
			t.Errorf("%d codes rest as a MAC", n)
		}
	})
}

func (b *bundle) windowsIn(ctx context.Context, t *testing.T, tx *store.Tx) []contact.Window {
	t.Helper()
	open, err := b.Windows(ctx, tx, seller)
	if err != nil || len(open) == 0 {
		t.Fatalf("windows %v, %v", open, err)
	}
	return open
}

// A code and a dispute that come while the account is erased are refused or erased, never left behind.
func TestDisputesDuringErasure(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for range 10 {
			b.account(t, seller)
			code := b.swap(t, known)
			w := b.windows(t)[0]
			acc := b.target(t, email).Account
			steps := make(chan func() error, 3)
			steps <- func() error {
				return b.db.Write(t.Context(), func(tx *store.Tx) error {
					b.NewDisputeCode(tx, acc, w, unknown)
					return nil
				})
			}
			steps <- func() error {
				_, err := b.byCode(t, known, code)
				if fault.Is(err, "dispute-not-matched") {
					err = nil
				}
				return err
			}
			steps <- func() error {
				return b.db.Write(t.Context(), func(tx *store.Tx) error { return b.accounts.Erase(t.Context(), tx, seller, event.System) })
			}
			atOnce(cap(steps), func() {
				if err := (<-steps)(); err != nil {
					t.Error(err)
				}
			})
			for _, table := range []string{"contact_change", "dispute_code", "dispute"} {
				if n := b.count(t, "SELECT COUNT(*) FROM "+table); n != 0 {
					t.Fatalf("%s has %d rows without an account", table, n)
				}
			}
		}
	})
}

func TestWhatADisputeCosts(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		code := b.swap(t, known)
		for _, test := range []struct {
			name, code          string
			statements, commits int64
		}{
			{"a wrong code", wrong(code), 2, 1},
			{"the right one", code, 5, 2},
			{"the right one again", code, 2, 1},
		} {
			ctx, count := store.WithCount(t.Context())
			_, err := b.DisputeByCode(ctx, b.db, known, test.code, oldAddress)
			if err != nil && !fault.Is(err, "dispute-not-matched") {
				t.Error(err)
			}
			if s, c := count.Statements.Load(), count.Commits.Load(); s > test.statements || c > test.commits {
				t.Errorf("%s: %d statements and %d commits, at most %d and %d are allowed", test.name, s, c, test.statements, test.commits)
			}
		}
	})
}
