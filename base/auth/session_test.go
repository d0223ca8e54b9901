package auth_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"countersign.dev/apptest"
	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

const (
	seller   = "seller-4711"
	shop     = "https://www.example.com/settings?tab=contacts"
	platform = "key:platform"
)

// portal is the sessions on one database, on a test clock, with a list of one return address.
type portal struct {
	*auth.Sessions
	db    *store.DB
	keys  *seal.Keyring
	clock *apptest.Clock
}

func portals(t *testing.T, body func(t *testing.T, p *portal)) {
	t.Helper()
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		urls, err := auth.ParseReturnURLs([]string{"https://www.example.com/settings"})
		if err != nil {
			t.Fatal(err)
		}
		s := auth.NewSessions(auth.SessionsOptions{DB: db, Keys: keys, ReturnURLs: urls})
		body(t, &portal{s, db, keys, clock})
	})
}

func (p *portal) write(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) error {
	t.Helper()
	return p.db.Write(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) })
}

func (p *portal) must(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := p.write(t, fn); err != nil {
		t.Fatal(err)
	}
}

func (p *portal) try(t *testing.T, in auth.SessionInput) (o auth.Opened, err error) {
	t.Helper()
	err = p.write(t, func(ctx context.Context, tx *store.Tx) (err error) {
		o, err = p.Open(ctx, tx, in, platform)
		return err
	})
	return o, err
}

// open opens a session; what the input leaves out is the seller's, and the shop's.
func (p *portal) open(t *testing.T, in auth.SessionInput) auth.Opened {
	t.Helper()
	in.Account, in.ReturnURL = cmp.Or(in.Account, seller), cmp.Or(in.ReturnURL, shop)
	o, err := p.try(t, in)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// visit opens a session and has a browser redeem it.
func (p *portal) visit(t *testing.T, in auth.SessionInput) (se auth.Session, secret string) {
	t.Helper()
	secret = rand.Text()
	se, err := p.Redeem(t.Context(), p.open(t, in).Token, secret)
	if err != nil {
		t.Fatal(err)
	}
	return se, secret
}

func (p *portal) find(t *testing.T, token string) (se auth.Session, err error) {
	t.Helper()
	err = p.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		se, err = p.Find(t.Context(), tx, token)
		return err
	})
	return se, err
}

func (p *portal) endAll(t *testing.T, account string) (n int) {
	t.Helper()
	p.must(t, func(ctx context.Context, tx *store.Tx) (err error) {
		n, err = p.EndAll(ctx, tx, account, platform)
		return err
	})
	return n
}

// events counts those of an account by type.
func (p *portal) events(t *testing.T, account string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for _, e := range p.history(t, account) {
		seen[e.Type]++
	}
	return seen
}

func (p *portal) history(t *testing.T, account string) (all []event.Event) {
	t.Helper()
	err := p.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		all, err = event.OfAccount(t.Context(), tx, account, "", 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantFault(t *testing.T, err error, kind fault.Kind, id, field string) {
	t.Helper()
	if f := fault.From(err); f == nil || f.Kind != kind || f.ID != id || f.Field != field {
		t.Errorf("got %v at %q, want %v %s at %q", err, cmp.Or(f, &fault.Error{}).Field, kind, id, field)
	}
}

func TestAnOpenedSessionIsFoundAndRedeemed(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		in := auth.SessionInput{
			Account: seller, ReturnURL: shop, Locale: "zh-cn", Flow: "verify-phone", Holder: "user-12",
			AuthenticatedAt: start.Add(-time.Minute), May: []auth.Right{auth.Verify, auth.View, auth.View},
		}
		o := p.open(t, in)
		if !o.ExpiresAt.Equal(start.Add(5*time.Minute)) || !regexp.MustCompile(`^[0-9a-z]{26}[2-7a-z]{26}$`).MatchString(o.Token) ||
			!strings.HasPrefix(o.Token, o.ID) {
			t.Errorf("%+v", o)
		}
		want := auth.Session{
			ID: o.ID, Account: seller, Locale: "zh-CN", Flow: "verify-phone", Holder: "user-12", ReturnURL: shop,
			May:             []auth.Right{auth.View, auth.Verify},
			AuthenticatedAt: start.Add(-time.Minute), FreshUntil: start.Add(14 * time.Minute), CreatedAt: start, EndsAt: start.Add(5 * time.Minute),
		}
		got, err := p.find(t, o.Token)
		if diff := gocmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
		p.clock.Advance(time.Minute)
		want.SeenAt, want.EndsAt = p.clock.Now(), p.clock.Now().Add(8*time.Hour)
		secret := rand.Text()
		if got, err = p.Redeem(t.Context(), o.Token, secret); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		got, err = p.Enter(t.Context(), o.ID, secret)
		if diff := gocmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

func TestWhatIsNotSaidIsEmptyAndAllIsAllowed(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, _ := p.visit(t, auth.SessionInput{})
		want := auth.Session{
			ID: se.ID, Account: seller, ReturnURL: shop, May: []auth.Right{auth.View, auth.Verify, auth.Change},
			CreatedAt: start, SeenAt: start, EndsAt: start.Add(8 * time.Hour),
		}
		if diff := gocmp.Diff(want, se); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASecondBrowserIsRefusedAndOnRecord(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		o := p.open(t, auth.SessionInput{})
		secret := rand.Text()
		first, err := p.Redeem(t.Context(), o.Token, secret)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			se, err := p.Redeem(t.Context(), o.Token, rand.Text())
			wantFault(t, err, fault.Conflict, "portal-url-used", "")
			if se.ReturnURL != shop {
				t.Error("no way back")
			}
		}
		p.clock.Advance(10 * time.Second)
		again, err := p.Redeem(t.Context(), o.Token, secret)
		if diff := gocmp.Diff(first, again); diff != "" || err != nil {
			t.Errorf("the same browser: %v %s", err, diff)
		}
		if diff := gocmp.Diff(map[string]int{"session.opened": 1, "session.redeemed": 1, "session.refused": 1}, p.events(t, seller)); diff != "" {
			t.Error(diff)
		}
		if _, err := p.Enter(t.Context(), o.ID, secret); err != nil {
			t.Errorf("the first browser: %v", err)
		}
		_, err = p.find(t, o.Token)
		wantFault(t, err, fault.Gone, "portal-url-used", "")
	})
}

// Many browsers post one URL at the same moment.
func TestOneOfManyBrowsersRedeems(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		o := p.open(t, auth.SessionInput{})
		const browsers = 16
		var all sync.WaitGroup
		var secrets [browsers]string
		var errs [browsers]error
		for i := range browsers {
			secrets[i] = rand.Text()
			all.Go(func() { _, errs[i] = p.Redeem(context.Background(), o.Token, secrets[i]) })
		}
		all.Wait()
		won := 0
		for i, err := range errs {
			_, entered := p.Enter(t.Context(), o.ID, secrets[i])
			if err == nil {
				won++
			} else {
				wantFault(t, err, fault.Conflict, "portal-url-used", "")
			}
			if (err == nil) != (entered == nil) {
				t.Errorf("redeemed: %v, entered: %v", err, entered)
			}
		}
		if won != 1 {
			t.Errorf("%d browsers redeemed", won)
		}
		want := map[string]int{"session.opened": 1, "session.redeemed": 1, "session.refused": 1}
		if diff := gocmp.Diff(want, p.events(t, seller)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNothingElseIsAURLOfOurs(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		o, other := p.open(t, auth.SessionInput{}), p.open(t, auth.SessionInput{})
		flipped := o.Token[:51] + "a"
		if flipped == o.Token {
			flipped = o.Token[:51] + "b"
		}
		for name, token := range map[string]string{
			"empty":                        "",
			"the id":                       o.ID,
			"another last letter":          flipped,
			"the id with another's proof":  o.ID + other.Token[26:],
			"the proof without an id":      strings.Repeat("0", 26) + o.Token[26:],
			"upper case":                   strings.ToUpper(o.Token),
			"longer":                       o.Token + "a",
			"a token that was never given": strings.Repeat("0", 52),
		} {
			_, err := p.find(t, token)
			wantFault(t, err, fault.NotFound, "unknown-portal-url", "")
			_, err = p.Redeem(t.Context(), token, rand.Text())
			if wantFault(t, err, fault.NotFound, "unknown-portal-url", ""); t.Failed() {
				t.Fatal(name)
			}
		}
		for _, secret := range []string{"", strings.Repeat("a", 25)} {
			_, err := p.Redeem(t.Context(), o.Token, secret)
			wantFault(t, err, fault.Malformed, "cookies-needed", "")
		}
		if _, err := p.Redeem(t.Context(), o.Token, rand.Text()); err != nil {
			t.Errorf("all of that used the URL up: %v", err)
		}
	})
}

func TestAURLWorksForFiveMinutes(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		soon, late := p.open(t, auth.SessionInput{}), p.open(t, auth.SessionInput{Locale: "zh-CN"})
		p.clock.Set(start.Add(5*time.Minute - time.Microsecond))
		if _, err := p.Redeem(t.Context(), soon.Token, rand.Text()); err != nil {
			t.Error(err)
		}
		p.clock.Set(start.Add(5 * time.Minute))
		se, err := p.find(t, late.Token)
		wantFault(t, err, fault.Gone, "portal-url-expired", "")
		if se.ReturnURL != shop || se.Locale != "zh-CN" {
			t.Errorf("no way back: %+v", se)
		}
		se, err = p.Redeem(t.Context(), late.Token, rand.Text())
		if wantFault(t, err, fault.Gone, "portal-url-expired", ""); se.ReturnURL != shop {
			t.Errorf("no way back: %+v", se)
		}
		if got := p.events(t, seller)["session.refused"]; got != 0 {
			t.Errorf("%d refusals on record: nobody's session was tried", got)
		}
	})
}

// Whoever finds a used URL cannot fill the account's history with it.
func TestRefusalsAreToldOnceAMinuteWhileTheSessionLasts(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		o := p.open(t, auth.SessionInput{})
		if _, err := p.Redeem(t.Context(), o.Token, rand.Text()); err != nil {
			t.Fatal(err)
		}
		for i, tt := range []struct {
			at   time.Duration
			told int
		}{
			{0, 1}, {59 * time.Second, 1}, {time.Minute, 2}, {8*time.Hour - time.Second, 3}, {8 * time.Hour, 3}, {6 * 24 * time.Hour, 3},
		} {
			p.clock.Set(start.Add(tt.at))
			_, err := p.Redeem(t.Context(), o.Token, rand.Text())
			wantFault(t, err, fault.Conflict, "portal-url-used", "")
			if got := p.events(t, seller)["session.refused"]; got != tt.told {
				t.Errorf("%d: %d refusals on record, want %d", i, got, tt.told)
			}
		}
	})
}

// A node whose clock is ahead takes a session for idle that another one still lets in.
func TestEndingAllEndsWhatAnotherClockTakesForIdle(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, secret := p.visit(t, auth.SessionInput{})
		p.clock.Set(start.Add(30*time.Minute + time.Second))
		if n := p.endAll(t, seller); n != 0 {
			t.Errorf("%d ended, and it was over by this clock", n)
		}
		p.clock.Set(start.Add(29 * time.Minute))
		_, err := p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-ended", "")
	})
}

func TestASessionEndsWhenItIsIdle(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, secret := p.visit(t, auth.SessionInput{Locale: "zh-CN"})
		for range 3 {
			p.clock.Advance(30*time.Minute - time.Microsecond)
			if _, err := p.Enter(t.Context(), se.ID, secret); err != nil {
				t.Fatal(err)
			}
		}
		p.clock.Advance(30 * time.Minute)
		got, err := p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-ended", "")
		if got.ReturnURL != shop || got.Locale != "zh-CN" {
			t.Errorf("no way back: %+v", got)
		}
		_, err = p.Enter(t.Context(), se.ID, rand.Text())
		wantFault(t, err, fault.Unauthenticated, "session-unknown", "")
	})
}

func TestASessionEndsAfterEightHours(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, secret := p.visit(t, auth.SessionInput{})
		for now := start; now.Before(se.EndsAt); now = now.Add(20 * time.Minute) {
			p.clock.Set(now)
			if _, err := p.Enter(t.Context(), se.ID, secret); err != nil {
				t.Fatalf("at %v: %v", now, err)
			}
		}
		p.clock.Set(se.EndsAt.Add(-time.Microsecond))
		if _, err := p.Enter(t.Context(), se.ID, secret); err != nil {
			t.Error(err)
		}
		p.clock.Set(se.EndsAt)
		_, err := p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-ended", "")
	})
}

// A request costs one statement, and once a minute another one.
func TestEnterKeepsToItsStatements(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, secret := p.visit(t, auth.SessionInput{})
		ctx, count := store.WithCount(t.Context())
		for _, step := range []struct {
			later               time.Duration
			statements, commits int64
		}{
			{0, 1, 0},
			{time.Minute - time.Microsecond, 1, 0},
			{time.Microsecond, 2, 1},
			{time.Minute - time.Microsecond, 1, 0},
			{time.Microsecond, 2, 1},
		} {
			now := p.clock.Advance(step.later)
			got, err := p.Enter(ctx, se.ID, secret)
			if err != nil {
				t.Fatal(err)
			}
			s, c := count.Statements.Swap(0), count.Commits.Swap(0)
			if s != step.statements || c != step.commits || s == 2 && !got.SeenAt.Equal(now) {
				t.Errorf("at %v: %d statements, %d commits, seen at %v", now, s, c, got.SeenAt)
			}
		}
		for _, id := range []string{"", "x", se.ID + "0"} {
			_, err := p.Enter(ctx, id, secret)
			wantFault(t, err, fault.Unauthenticated, "session-unknown", "")
		}
		if s := count.Statements.Load(); s != 0 {
			t.Errorf("%d statements for what is no id", s)
		}
	})
}

func TestASessionBelongsToOneBrowser(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		mine, secret := p.visit(t, auth.SessionInput{})
		theirs, other := p.visit(t, auth.SessionInput{Account: "seller-2"})
		waiting := p.open(t, auth.SessionInput{})
		for name, try := range map[string][2]string{
			"another account's secret":    {mine.ID, other},
			"another account's session":   {theirs.ID, secret},
			"no secret":                   {mine.ID, ""},
			"a session that waits":        {waiting.ID, secret},
			"no secret for one that does": {waiting.ID, ""},
			"a session there is not":      {strings.Repeat("0", 26), secret},
		} {
			if _, err := p.Enter(t.Context(), try[0], try[1]); !fault.Is(err, "session-unknown") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestASessionIsEnded(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, secret := p.visit(t, auth.SessionInput{Holder: "user-12"})
		for range 2 {
			p.must(t, func(ctx context.Context, tx *store.Tx) error { return p.End(ctx, tx, se) })
		}
		got, err := p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-ended", "")
		if got.ReturnURL != shop || p.events(t, seller)["session.ended"] != 1 {
			t.Errorf("%+v, %v", got, p.events(t, seller))
		}
	})
}

func TestAllSessionsOfAnAccountAreEnded(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		idle, idleSecret := p.visit(t, auth.SessionInput{})
		_ = p.open(t, auth.SessionInput{}) // never redeemed
		p.clock.Advance(30 * time.Minute)
		one, secret := p.visit(t, auth.SessionInput{})
		waiting := p.open(t, auth.SessionInput{})
		gone, _ := p.visit(t, auth.SessionInput{})
		p.must(t, func(ctx context.Context, tx *store.Tx) error { return p.End(ctx, tx, gone) })
		theirs, theirSecret := p.visit(t, auth.SessionInput{Account: "seller-2"})

		if n := p.endAll(t, seller); n != 2 {
			t.Errorf("%d ended: the one in use and the one that waits are 2", n)
		}
		if n := p.endAll(t, seller); n != 0 {
			t.Errorf("%d ended again", n)
		}
		for id, secret := range map[string]string{one.ID: secret, idle.ID: idleSecret} {
			_, err := p.Enter(t.Context(), id, secret)
			wantFault(t, err, fault.Unauthenticated, "session-ended", "")
		}
		_, err := p.Redeem(t.Context(), waiting.Token, rand.Text())
		wantFault(t, err, fault.Gone, "portal-url-expired", "")
		if _, err := p.Enter(t.Context(), theirs.ID, theirSecret); err != nil {
			t.Errorf("another account's: %v", err)
		}
		if got := p.events(t, seller)["session.ended"]; got != 3 {
			t.Errorf("%d events", got)
		}
	})
}

func TestASessionIsOpenedAgain(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		reopen := func(id string) (o auth.Opened, err error) {
			err = p.db.Read(t.Context(), func(tx *store.Tx) (err error) {
				o, err = p.Reopen(t.Context(), tx, id)
				return err
			})
			return o, err
		}
		used, late := p.open(t, auth.SessionInput{}), p.open(t, auth.SessionInput{})
		if again, err := reopen(used.ID); err != nil || again != used {
			t.Errorf("%+v, then %+v: %v", used, again, err)
		}
		if _, err := p.Redeem(t.Context(), used.Token, rand.Text()); err != nil {
			t.Fatal(err)
		}
		p.clock.Advance(5 * time.Minute)
		for id, want := range map[string]string{used.ID: "portal-url-used", late.ID: "portal-url-expired"} {
			o, err := reopen(id)
			if wantFault(t, err, fault.Gone, want, ""); o.Token != "" {
				t.Error("a token all the same")
			}
		}
		_, err := reopen("nothing")
		wantFault(t, err, fault.NotFound, "unknown-portal-url", "")
	})
}

func TestWhatIsOverIsForgotten(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		for range 3 {
			p.open(t, auth.SessionInput{})
		}
		se, secret := p.visit(t, auth.SessionInput{})
		sweep := func(want int) {
			t.Helper()
			if n, err := p.Sweep(t.Context(), 2); err != nil || n != want {
				t.Errorf("%d swept, want %d: %v", n, want, err)
			}
		}
		p.clock.Set(start.Add(7*24*time.Hour + 5*time.Minute - time.Microsecond))
		sweep(0)
		p.clock.Advance(time.Microsecond)
		sweep(2)
		sweep(1)
		_, err := p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-ended", "")
		p.clock.Set(se.EndsAt.Add(7 * 24 * time.Hour))
		sweep(1)
		_, err = p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-unknown", "")
	})
}

func TestErasureTakesTheSessions(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, secret := p.visit(t, auth.SessionInput{})
		waiting := p.open(t, auth.SessionInput{})
		theirs, theirSecret := p.visit(t, auth.SessionInput{Account: "seller-2"})
		p.clock.Advance(time.Minute)
		back, backSecret := p.visit(t, auth.SessionInput{}) // of the account that came back
		p.must(t, func(ctx context.Context, tx *store.Tx) error {
			return auth.EraseSessions(ctx, tx, seller, start.Add(time.Second))
		})
		_, err := p.Enter(t.Context(), se.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-unknown", "")
		_, err = p.Redeem(t.Context(), waiting.Token, rand.Text())
		wantFault(t, err, fault.NotFound, "unknown-portal-url", "")
		if _, err := p.Enter(t.Context(), theirs.ID, theirSecret); err != nil {
			t.Errorf("another account's: %v", err)
		}
		if _, err := p.Enter(t.Context(), back.ID, backSecret); err != nil {
			t.Errorf("one opened later: %v", err)
		}
	})
}

func TestBadSessionsAreNotOpened(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		for name, tt := range map[string]struct {
			in        auth.SessionInput
			id, field string
		}{
			"an address that is not listed": {auth.SessionInput{ReturnURL: "https://www.example.org/settings"}, "return-url-not-listed", "return_url"},
			"no address":                    {auth.SessionInput{ReturnURL: " "}, "return-url-not-listed", "return_url"},
			"no language":                   {auth.SessionInput{Locale: "Klingon, please"}, "locale-invalid", "locale"},
			"an undetermined language":      {auth.SessionInput{Locale: "und"}, "locale-invalid", "locale"},
			"a long language":               {auth.SessionInput{Locale: "en" + strings.Repeat("-x-abcdefgh", 4)}, "locale-invalid", "locale"},
			"an unknown flow":               {auth.SessionInput{Flow: "erase"}, "flow-unknown", "flow"},
			"a flow of two lines":           {auth.SessionInput{Flow: "settings\n"}, "flow-unknown", "flow"},
			"a slot that is none":           {auth.SessionInput{Flow: "verify-email-6"}, "flow-unknown", "flow"},
			"a path in a flow":              {auth.SessionInput{Flow: "verify-../x"}, "flow-unknown", "flow"},
			"an address for an actor":       {auth.SessionInput{Holder: "mei@example.com"}, "actor-invalid", "actor"},
			"an actor that ends it early":   {auth.SessionInput{Holder: "a/b"}, "actor-invalid", "actor"},
			"a long actor":                  {auth.SessionInput{Holder: strings.Repeat("a", 129)}, "actor-invalid", "actor"},
			"tomorrow's authentication":     {auth.SessionInput{AuthenticatedAt: start.Add(time.Minute + time.Microsecond)}, "authenticated-in-future", "authenticated_at"},
			"an unknown right":              {auth.SessionInput{May: []auth.Right{auth.View, "erase"}}, "right-unknown", "may"},
			"no right":                      {auth.SessionInput{May: []auth.Right{}}, "right-unknown", "may"},
		} {
			tt.in.Account, tt.in.ReturnURL = seller, cmp.Or(tt.in.ReturnURL, shop)
			_, err := p.try(t, tt.in)
			if wantFault(t, err, fault.Invalid, tt.id, tt.field); t.Failed() {
				t.Fatal(name)
			}
		}
		if got := p.events(t, seller); len(got) != 0 {
			t.Errorf("events %v", got)
		}
		for _, flow := range []string{"", "settings", "verify-email", "verify-phone-2", "change-email-5", "change-phone"} {
			p.open(t, auth.SessionInput{Flow: flow})
		}
	})
}

// The platform's clock may be a little ahead.
func TestAnAuthenticationOfJustNow(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, _ := p.visit(t, auth.SessionInput{AuthenticatedAt: start.Add(time.Minute)})
		if !se.AuthenticatedAt.Equal(start) {
			t.Errorf("authenticated at %v", se.AuthenticatedAt)
		}
	})
}

func TestRights(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		fresh := start.Add(15 * time.Minute)
		for name, tt := range map[string]struct {
			in    auth.SessionInput
			now   time.Time
			right auth.Right
			want  string
		}{
			"all":                          {auth.SessionInput{}, start, auth.Change, ""},
			"named":                        {auth.SessionInput{May: []auth.Right{auth.Verify}}, start, auth.Verify, ""},
			"none includes another":        {auth.SessionInput{May: []auth.Right{auth.Change}}, start, auth.View, "right-missing"},
			"not named":                    {auth.SessionInput{May: []auth.Right{auth.View, auth.Verify}}, start, auth.Change, "right-missing"},
			"fresh":                        {auth.SessionInput{AuthenticatedAt: start}, fresh, auth.Change, ""},
			"not fresh":                    {auth.SessionInput{AuthenticatedAt: start}, fresh.Add(time.Microsecond), auth.Change, "authentication-too-old"},
			"old from the start":           {auth.SessionInput{AuthenticatedAt: start.Add(-time.Hour)}, start, auth.Change, "authentication-too-old"},
			"verifying needs no freshness": {auth.SessionInput{AuthenticatedAt: start.Add(-time.Hour)}, start, auth.Verify, ""},
			"nothing was said":             {auth.SessionInput{}, start.Add(7 * time.Hour), auth.Change, ""},
		} {
			se, _ := p.visit(t, tt.in)
			switch err := se.Allows(tt.right, tt.now); {
			case tt.want == "" && err == nil:
			case !fault.Is(err, tt.want) || fault.From(err).Kind != fault.Forbidden:
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSessionEventsHoldNothingPersonal(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		se, _ := p.visit(t, auth.SessionInput{Holder: "user-12", Flow: "settings", May: []auth.Right{auth.View}})
		p.must(t, func(ctx context.Context, tx *store.Tx) error { return p.End(ctx, tx, se) })
		bodies, actors := map[string]map[string]any{}, map[string]string{}
		for _, e := range p.history(t, seller) {
			bodies[e.Type], actors[e.Type] = e.Body, e.Actor
			if e.Subject != se.ID || e.Sealed != nil {
				t.Errorf("%+v", e)
			}
		}
		if diff := gocmp.Diff(map[string]map[string]any{
			"session.opened":   {"flow": "settings", "may": []any{"view"}},
			"session.redeemed": {}, "session.ended": {},
		}, bodies); diff != "" {
			t.Error(diff)
		}
		if diff := gocmp.Diff(map[string]string{
			"session.opened": platform, "session.redeemed": "account:seller-4711/user-12", "session.ended": "account:seller-4711/user-12",
		}, actors); diff != "" {
			t.Error(diff)
		}
		if got := (auth.Session{Account: seller}).Actor(); got != "account:seller-4711" {
			t.Error(got)
		}
	})
}

// A stolen database gives no session: neither a token nor a secret nor the way back is in it.
func TestASessionAtRest(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		o := p.open(t, auth.SessionInput{})
		secret := rand.Text()
		if _, err := p.Redeem(t.Context(), o.Token, secret); err != nil {
			t.Fatal(err)
		}
		var hash, sealed []byte
		err := p.db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT secret, return_url FROM portal_session WHERE account_id = $1", seller).Scan(&hash, &sealed)
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(hash) != 32 || bytes.Contains(hash, []byte(secret)) || bytes.Contains(sealed, []byte("example.com")) {
			t.Error("in clear")
		}
		// What was written into another row does not work there.
		theirs := p.open(t, auth.SessionInput{Account: "seller-2"})
		if _, err := p.Redeem(t.Context(), theirs.Token, rand.Text()); err != nil {
			t.Fatal(err)
		}
		p.must(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE portal_session SET secret = $1 WHERE account_id = $2", hash, "seller-2")
			return err
		})
		_, err = p.Enter(t.Context(), theirs.ID, secret)
		wantFault(t, err, fault.Unauthenticated, "session-unknown", "")
	})
}

func TestSessionStatementsUseTheirIndexes(t *testing.T) {
	portals(t, func(t *testing.T, p *portal) {
		p.open(t, auth.SessionInput{})
		p.must(t, func(ctx context.Context, tx *store.Tx) error {
			tx.Later(`INSERT INTO portal_session (account_id, session_id, return_url, locale, flow, holder, rights, created_at, redeem_until, ends_at)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
				SELECT 'a' || i, 's' || i, return_url, '', '', '', 'view', created_at + i, redeem_until + i, ends_at + i FROM n, portal_session`)
			_, err := tx.Exec(ctx, "ANALYZE")
			return err
		})
		one, two := int64(1), int64(2)
		for _, tt := range []struct {
			name, sql string
			args      []any
			index     string // either engine's, as in "a|b"
		}{
			{"a request", auth.SessionQuery, []any{"x"}, "portal_session_id"},
			{"redeem", auth.RedeemQuery, []any{"x", []byte{1}, one, two}, "portal_session_id"},
			{"seen", auth.SeenQuery, []any{"x", two, one}, "portal_session_id"},
			{"end", auth.EndQuery, []any{"x", one}, "portal_session_id"},
			{"end all", auth.EndAllQuery, []any{"x", one}, "portal_session_pkey|portal_session_1"},
			{"sweep", auth.SweepQuery, []any{one, int64(500)}, "portal_session_end"},
		} {
			plan, err := p.db.Explain(t.Context(), tt.sql, tt.args...)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			index, other, _ := strings.Cut(tt.index, "|")
			if !strings.Contains(plan, index) && (other == "" || !strings.Contains(plan, other)) || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s does not use %s:\n%s", tt.name, tt.index, plan)
			}
		}
	})
}
