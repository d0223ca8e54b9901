package account_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/address"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

const actor = "key:test"

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// bundle is one database with accounts on a test clock.
type bundle struct {
	*account.Accounts
	db    *store.DB
	clock *apptest.Clock
	seen  map[string]bool
}

func engines(t *testing.T, o account.Options, body func(t *testing.T, b *bundle)) {
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		o := o
		o.Keys = keys
		body(t, &bundle{account.New(o), db, clock, map[string]bool{}})
	})
}

func (b *bundle) write(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := b.db.Write(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) put(t *testing.T, in account.Input) (acc account.Account, created bool) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) (err error) {
		acc, created, err = b.Put(ctx, tx, in, actor)
		return err
	})
	return acc, created
}

func (b *bundle) get(t *testing.T, id string) (acc account.Account, err error) {
	t.Helper()
	err = b.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		acc, err = b.Get(t.Context(), tx, id)
		return err
	})
	return acc, err
}

// news returns the account's events since the last call, by type.
func (b *bundle) news(t *testing.T, id string) map[string]event.Event {
	t.Helper()
	var all []event.Event
	err := b.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		all, err = event.OfAccount(t.Context(), tx, id, "", 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]event.Event{}
	for _, e := range all {
		if !b.seen[e.ID] {
			b.seen[e.ID] = true
			found[e.Type] = e
		}
	}
	return found
}

func (b *bundle) wantNews(t *testing.T, id string, want ...string) map[string]event.Event {
	t.Helper()
	found := b.news(t, id)
	var got []string
	for name := range found {
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	return found
}

func ptr(s string) *string { return &s }

var harbour = account.Input{
	ID: "seller-1", Name: "Harbour Trading", Locale: "zh-cn", TimeZone: "Asia/Shanghai", Country: "cn",
	Mailbox: ptr("Mail@Example.com"),
}

func TestPutCreates(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		ctx, count := store.WithCount(t.Context())
		err := b.db.Write(ctx, func(tx *store.Tx) error {
			_, created, err := b.Put(ctx, tx, harbour, actor)
			if !created {
				t.Error("not created")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count.Statements.Load(); n > 3 {
			t.Errorf("%d statements", n)
		}
		acc, err := b.get(t, harbour.ID)
		if err != nil {
			t.Fatal(err)
		}
		mailbox, _ := address.ParseEmail("Mail@example.com")
		want := account.Account{
			ID: "seller-1", Name: "Harbour Trading", Mailbox: mailbox, Locale: "zh-CN",
			GivenLocale: "zh-CN", TimeZone: "Asia/Shanghai", Country: "CN", CreatedAt: start, ChangedAt: start, Key: acc.Key,
		}
		if acc != want {
			t.Errorf("got %+v, want %+v", acc, want)
		}
		b.wantNews(t, "seller-1", "account.created")
	})
}

func TestPutTellsWhatChanged(t *testing.T) {
	tests := []struct {
		name   string
		change func(in *account.Input)
		events []string
		body   map[string]any
	}{
		{"nothing", func(in *account.Input) { in.Locale = "zh-CN" }, nil, nil},
		{"the name", func(in *account.Input) { in.Name = "Port" }, []string{"account.changed"}, map[string]any{"fields": []any{"name"}}},
		{
			"all that is omitted", func(in *account.Input) { *in = account.Input{ID: in.ID, Mailbox: in.Mailbox} },
			[]string{"account.changed"},
			map[string]any{"fields": []any{"name", "locale", "time_zone", "country"}},
		},
		{
			"nothing of what is left out to be kept",
			func(in *account.Input) { *in = account.Input{ID: in.ID, Name: "Port", Keep: true} },
			[]string{"account.changed"},
			map[string]any{"fields": []any{"name"}},
		},
		{"nothing at all to be kept", func(in *account.Input) { *in = account.Input{ID: in.ID, Keep: true} }, nil, nil},
		{
			"the mailbox", func(in *account.Input) { in.Mailbox = ptr("other@example.com") },
			[]string{"account.mailbox_changed"},
			map[string]any{"mailbox": "changed"},
		},
		{"no mailbox", func(in *account.Input) { in.Mailbox = nil }, []string{"account.mailbox_changed"}, map[string]any{"mailbox": "removed"}},
	}
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		for _, test := range tests {
			b.put(t, harbour)
			b.news(t, harbour.ID)
			before, _ := b.get(t, harbour.ID)
			b.clock.Advance(time.Minute)
			in := harbour
			test.change(&in)
			acc, created := b.put(t, in)
			if created {
				t.Errorf("%s: created again", test.name)
			}
			for _, e := range b.wantNews(t, harbour.ID, test.events...) {
				if diff := cmp.Diff(test.body, e.Body); diff != "" {
					t.Errorf("%s: %s", test.name, diff)
				}
			}
			stored, _ := b.get(t, harbour.ID)
			stored.Key, acc.Key = seal.DataKey{}, seal.DataKey{}
			if stored != acc {
				t.Errorf("%s: Put returned %+v, stored is %+v", test.name, acc, stored)
			}
			if moved := acc.ChangedAt != before.ChangedAt; moved != (len(test.events) > 0) {
				t.Errorf("%s: ChangedAt moved: %v", test.name, moved)
			}
		}
		b.put(t, account.Input{ID: "bare"})
		b.news(t, "bare")
		b.put(t, account.Input{ID: "bare", Mailbox: ptr("a@example.com")})
		if e := b.wantNews(t, "bare", "account.mailbox_changed")["account.mailbox_changed"]; e.Body["mailbox"] != "set" {
			t.Errorf("body %v", e.Body)
		}
	})
}

func TestPutRefuses(t *testing.T) {
	tests := []struct {
		in    account.Input
		id    string
		field string
	}{
		{account.Input{}, "account-id-invalid", "account"},
		{account.Input{ID: "seller@example.com"}, "account-id-invalid", "account"},
		{account.Input{ID: "-first"}, "account-id-invalid", "account"},
		{account.Input{ID: "a b"}, "account-id-invalid", "account"},
		{account.Input{ID: "a/b"}, "account-id-invalid", "account"},
		{account.Input{ID: "卖家"}, "account-id-invalid", "account"},
		{account.Input{ID: "a\x00"}, "account-id-invalid", "account"},
		{account.Input{ID: strings.Repeat("a", 129)}, "account-id-invalid", "account"},
		{account.Input{ID: "a", Name: "two\r\nlines"}, "name-characters", "name"},
		{account.Input{ID: "a", Name: "nul\x00"}, "name-characters", "name"},
		{account.Input{ID: "a", Name: "turned\u202e"}, "name-characters", "name"},
		{account.Input{ID: "a", Name: "\xff"}, "name-characters", "name"},
		{account.Input{ID: "a", Name: strings.Repeat("李", 201)}, "name-too-long", "name"},
		{account.Input{ID: "a", Locale: "english!"}, "locale-invalid", "locale"},
		{account.Input{ID: "a", Locale: "und"}, "locale-invalid", "locale"},
		{account.Input{ID: "a", Locale: "en-" + strings.Repeat("x-aaaaaaaa", 10)}, "locale-invalid", "locale"},
		{account.Input{ID: "a", TimeZone: "Mars/Olympus"}, "time-zone-unknown", "time_zone"},
		{account.Input{ID: "a", TimeZone: "Local"}, "time-zone-unknown", "time_zone"},
		{account.Input{ID: "a", TimeZone: "../../etc/passwd"}, "time-zone-unknown", "time_zone"},
		{account.Input{ID: "a", Country: "ZZ"}, "country-unknown", "country"},
		{account.Input{ID: "a", Country: "UK"}, "country-unknown", "country"},
		{account.Input{ID: "a", Country: "DEU"}, "country-unknown", "country"},
		{account.Input{ID: "a", Country: "EU"}, "country-unknown", "country"},
		{account.Input{ID: "a", Mailbox: ptr("")}, "email-missing", "mailbox"},
		{account.Input{ID: "a", Mailbox: ptr("a@example.com\r\nBcc: b@example.com")}, "email-control-character", "mailbox"},
	}
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		for _, test := range tests {
			err := b.db.Write(t.Context(), func(tx *store.Tx) error {
				_, _, err := b.Put(t.Context(), tx, test.in, actor)
				return err
			})
			f := fault.From(err)
			if f == nil || f.ID != test.id || f.Field != test.field || f.Kind != fault.Invalid {
				t.Errorf("%+v: %v, want %s at %s", test.in, err, test.id, test.field)
			}
		}
	})
}

func TestIDsThatAreAllowed(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		for _, id := range []string{"a", "0", "A.b_c:d~e-f", strings.Repeat("z", 128)} {
			b.put(t, account.Input{ID: id})
			acc, err := b.get(t, id)
			if err != nil || acc.Locale != "en" || acc.TimeZone != "UTC" || acc.Name != "" || !acc.Mailbox.IsZero() {
				t.Errorf("%s: %+v, %v", id, acc, err)
			}
		}
	})
}

func TestHolderWins(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		choose := func(id, locale, zone string) error {
			return b.choose(t, id, account.Choice{Locale: &locale, TimeZone: &zone})
		}
		b.put(t, harbour)
		b.news(t, harbour.ID)
		if err := choose(harbour.ID, "en-GB", "Europe/London"); err != nil {
			t.Fatal(err)
		}
		b.wantNews(t, harbour.ID, "account.changed")
		in := harbour
		in.Locale, in.TimeZone = "de", "Europe/Berlin"
		if acc, _ := b.put(t, in); acc.Locale != "en-GB" || acc.TimeZone != "Europe/London" || acc.ChosenLocale != "en-GB" ||
			acc.ChosenTimeZone != "Europe/London" || acc.GivenLocale != "de" {
			t.Errorf("the platform won: %+v", acc)
		}
		if err := choose(harbour.ID, "", ""); err != nil {
			t.Fatal(err)
		}
		acc, _ := b.get(t, harbour.ID)
		if acc.Locale != "de" || acc.TimeZone != "Europe/Berlin" || acc.ChosenLocale != "" || acc.ChosenTimeZone != "" {
			t.Errorf("the choice was not given back: %+v", acc)
		}
		for id, err := range map[string]error{
			"unknown-account":   choose("nobody", "en", "UTC"),
			"locale-invalid":    choose(harbour.ID, "!", ""),
			"time-zone-unknown": choose(harbour.ID, "", "Mars"),
		} {
			if !fault.Is(err, id) {
				t.Errorf("%v, want %s", err, id)
			}
		}
	})
}

func (b *bundle) choose(t *testing.T, id string, c account.Choice) error {
	t.Helper()
	return b.db.Write(t.Context(), func(tx *store.Tx) error {
		return b.Choose(t.Context(), tx, id, c, "account:seller-1")
	})
}

func TestTheHolderChoosesOneAndLeavesTheOther(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		b.put(t, harbour)
		b.news(t, harbour.ID)
		choose := func(c account.Choice) account.Account {
			t.Helper()
			if err := b.choose(t, harbour.ID, c); err != nil {
				t.Fatal(err)
			}
			acc, _ := b.get(t, harbour.ID)
			return acc
		}
		acc := choose(account.Choice{Locale: ptr("en")})
		if acc.Locale != "en" || acc.TimeZone != "Asia/Shanghai" || acc.ChosenTimeZone != "" {
			t.Errorf("only the language: %+v", acc)
		}
		if e := b.wantNews(t, harbour.ID, "account.changed")["account.changed"]; len(e.Body["fields"].([]any)) != 1 {
			t.Errorf("told as %v", e.Body)
		}
		moved := harbour
		moved.Locale, moved.TimeZone = "de", "Europe/Berlin"
		if acc, _ = b.put(t, moved); acc.Locale != "en" || acc.TimeZone != "Europe/Berlin" {
			t.Errorf("after the platform's next word: %+v", acc)
		}
		if acc = choose(account.Choice{TimeZone: ptr("Europe/London")}); acc.Locale != "en" || acc.TimeZone != "Europe/London" {
			t.Errorf("then the zone: %+v", acc)
		}
		if after := choose(account.Choice{}); !after.ChangedAt.Equal(acc.ChangedAt) {
			t.Errorf("nothing was chosen, and yet: %+v", after)
		}
	})
}

// The language in one tab and the zone in another, at once: both stand, however the two meet.
func TestTwoChoicesAtOnceBothStand(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		b.put(t, harbour)
		for n := range 20 {
			locale, zone := []string{"en", "zh-CN"}[n%2], []string{"Europe/London", "Asia/Tokyo"}[n%2]
			var both sync.WaitGroup
			for _, c := range []account.Choice{{Locale: &locale}, {TimeZone: &zone}} {
				both.Go(func() {
					if err := b.choose(t, harbour.ID, c); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			if acc, err := b.get(t, harbour.ID); err != nil || acc.Locale != locale || acc.TimeZone != zone {
				t.Fatalf("%s and %s were chosen: %+v, %v", locale, zone, acc, err)
			}
		}
	})
}

func TestErase(t *testing.T) {
	var erased []string
	checkpoints := 0
	o := account.Options{
		Erase: []func(context.Context, *store.Tx, string) error{
			func(_ context.Context, _ *store.Tx, id string) error {
				erased = append(erased, "first "+id)
				return nil
			},
			func(_ context.Context, _ *store.Tx, id string) error {
				erased = append(erased, "second "+id)
				return nil
			},
		},
		AfterErase: func() { checkpoints++ },
	}
	engines(t, o, func(t *testing.T, b *bundle) {
		erased, checkpoints = nil, 0
		b.put(t, harbour)
		b.news(t, harbour.ID)
		b.write(t, func(ctx context.Context, tx *store.Tx) error { return b.Erase(ctx, tx, harbour.ID, actor) })
		if want := []string{"first seller-1", "second seller-1"}; !slices.Equal(erased, want) || checkpoints != 1 {
			t.Errorf("erased %v, checkpoints %d", erased, checkpoints)
		}
		b.wantNews(t, harbour.ID, "account.erased")
		if _, err := b.get(t, harbour.ID); !fault.Is(err, "unknown-account") {
			t.Errorf("still there: %v", err)
		}
		err := b.db.Write(t.Context(), func(tx *store.Tx) error { return b.Erase(t.Context(), tx, harbour.ID, actor) })
		if !fault.Is(err, "unknown-account") {
			t.Errorf("erased twice: %v", err)
		}
		first, _ := b.put(t, harbour)
		if first.CreatedAt != start {
			t.Errorf("created at %v", first.CreatedAt)
		}
	})
}

func TestEraseFailsWhole(t *testing.T) {
	broken := errors.New("broken")
	o := account.Options{
		Erase:      []func(context.Context, *store.Tx, string) error{func(context.Context, *store.Tx, string) error { return broken }},
		AfterErase: func() { t.Error("called after a rollback") },
	}
	engines(t, o, func(t *testing.T, b *bundle) {
		b.put(t, harbour)
		err := b.db.Write(t.Context(), func(tx *store.Tx) error { return b.Erase(t.Context(), tx, harbour.ID, actor) })
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if _, err := b.get(t, harbour.ID); err != nil {
			t.Errorf("half erased: %v", err)
		}
	})
}

func TestClaimAndTouchMoveStrictly(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		acc, _ := b.put(t, harbour)
		b.write(t, func(ctx context.Context, tx *store.Tx) error { // the clock stands
			b.Touch(tx, acc.ID)
			ok, err := b.Claim(ctx, tx, acc)
			if ok {
				t.Error("claimed an account that somebody had touched")
			}
			return err
		})
		acc, _ = b.get(t, harbour.ID)
		if acc.ChangedAt != start.Add(time.Microsecond) {
			t.Errorf("changed at %v", acc.ChangedAt)
		}
		b.write(t, func(ctx context.Context, tx *store.Tx) error {
			ok, err := b.Claim(ctx, tx, acc)
			if !ok {
				t.Error("not claimed")
			}
			if again, _ := b.Claim(ctx, tx, acc); again {
				t.Error("claimed twice")
			}
			return err
		})
	})
}

func TestPutAtOnce(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		var wg sync.WaitGroup
		created := make(chan bool, 16)
		for i := range 16 {
			wg.Go(func() {
				in := harbour
				in.Mailbox = ptr(string(rune('a'+i)) + "@example.com")
				var made bool
				err := b.db.Write(t.Context(), func(tx *store.Tx) (err error) {
					_, made, err = b.Put(t.Context(), tx, in, actor)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				created <- made
			})
		}
		wg.Wait()
		close(created)
		n := 0
		for made := range created {
			if made {
				n++
			}
		}
		if n != 1 {
			t.Errorf("created %d times", n)
		}
		var events int64
		err := b.db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM event WHERE type = 'account.mailbox_changed'").Scan(&events)
		})
		if err != nil || events != 15 {
			t.Errorf("%d changes of the mailbox told, %v", events, err)
		}
	})
}
