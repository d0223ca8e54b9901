package importer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/importer"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// bundle is one database to import into, on a test clock.
type bundle struct {
	db       *store.DB
	clock    *apptest.Clock
	accounts *account.Accounts
	contacts *contact.Contacts
}

func engines(t *testing.T, body func(t *testing.T, b *bundle)) {
	clock := apptest.NewClock(start)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		accounts := account.New(account.Options{Keys: keys})
		contacts := contact.New(contact.Options{Keys: keys, Accounts: accounts})
		body(t, &bundle{db, clock, accounts, contacts})
	})
}

// batch is smaller than most test files, so that they take more than one.
const batch = 3

func (b *bundle) importer() *importer.Importer {
	return importer.New(importer.Options{DB: b.db, Accounts: b.accounts, Contacts: b.contacts, Batch: batch})
}

// load imports a file, a second after whatever was before, and returns the result without the time and the bad rows as
// "line field id".
func (b *bundle) load(t *testing.T, format importer.Format, in string) (importer.Result, []string) {
	t.Helper()
	b.clock.Advance(time.Second)
	var bad bytes.Buffer
	res, err := b.importer().Import(t.Context(), strings.NewReader(in), format, &bad, i18n.En, nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Elapsed = 0
	return res, problems(t, &bad)
}

func problems(t *testing.T, bad io.Reader) (list []string) {
	t.Helper()
	rows, err := csv.NewReader(bad).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) > 0 && !cmp.Equal(rows[0], []string{"line", "field", "id", "text"}) {
		t.Errorf("header %q", rows[0])
	}
	for i := 1; i < len(rows); i++ {
		if text := rows[i][3]; text == "" || text == "fault."+rows[i][2] {
			t.Errorf("%s has no text", rows[i][2])
		}
		list = append(list, strings.Join(rows[i][:3], " "))
	}
	return list
}

func (b *bundle) read(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := b.db.Read(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// ids are the accounts there are, in the order of their ids.
func (b *bundle) ids(t *testing.T) (ids []string) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Query(ctx, "SELECT account_id FROM account ORDER BY account_id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids
}

// describe is an account with its contacts in a line.
func (b *bundle) describe(t *testing.T, id string) (out string) {
	t.Helper()
	b.read(t, func(ctx context.Context, tx *store.Tx) error {
		a, err := b.accounts.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		out = fmt.Sprintf("%s|%s|%s|%s|%s", a.Name, a.Mailbox, a.Locale, a.TimeZone, a.Country)
		for _, name := range []string{"email", "email-2", "phone", "phone-5"} {
			slot, err := contact.ParseSlot(name)
			if err != nil {
				return err
			}
			target, err := b.contacts.Target(ctx, tx, id, slot)
			if fault.Is(err, "unknown-contact") {
				continue
			}
			if err != nil {
				return err
			}
			k := target.Contact
			out += fmt.Sprintf(" %s=%s %s", slot, k.Value, k.State)
		}
		return nil
	})
	return out
}

func TestWholeRow(t *testing.T) {
	for format, in := range map[importer.Format]string{
		importer.CSV: "Account,name,locale,time_zone,country,mailbox,email,email-2,phone,phone_extension,phone-5\r\n" +
			"seller-1,\"Li, Mei\",zh-CN,Asia/Shanghai,cn,shop@example.com,m.li@example.com,m.li@example.org,138 0013 8000,,\r\n" +
			"seller-2,,,,,,,,(020) 7946 0000,12,\r\n" +
			"seller-3,,,,GB,,,,(020) 7946 0000,12,+86 138 0013 8000\r\n",
		importer.NDJSON: `{"Account":"seller-1","name":"Li, Mei","locale":"zh-CN","time_zone":"Asia/Shanghai","country":"cn",` +
			`"mailbox":"shop@example.com","email":"m.li@example.com","email-2":"m.li@example.org","phone":"138 0013 8000"}` + "\n" +
			`{"account":"seller-2","phone":"(020) 7946 0000","phone_extension":"12"}` + "\n\n" +
			`{"account":"seller-3","country":"GB","phone":"(020) 7946 0000","phone_extension":"12","phone-5":"+86 138 0013 8000"}`,
	} {
		t.Run(string(format), func(t *testing.T) {
			engines(t, func(t *testing.T, b *bundle) {
				res, bad := b.load(t, format, in)
				if diff := cmp.Diff(importer.Result{Rows: 3, Imported: 2, Bad: 1}, res); diff != "" {
					t.Error(diff)
				}
				line := map[importer.Format]string{importer.CSV: "3", importer.NDJSON: "2"}[format]
				if diff := cmp.Diff([]string{line + " phone phone-no-country"}, bad); diff != "" {
					t.Error(diff)
				}
				for id, want := range map[string]string{
					"seller-1": "Li, Mei|shop@example.com|zh-CN|Asia/Shanghai|CN email=m.li@example.com unverified " +
						"email-2=m.li@example.org unverified phone=+8613800138000 unverified",
					"seller-3": "||en|UTC|GB phone=+442079460000;ext=12 unverified phone-5=+8613800138000 unverified",
				} {
					if diff := cmp.Diff(want, b.describe(t, id)); diff != "" {
						t.Error(diff)
					}
				}
			})
		})
	}
}

// fileCase is a file, the accounts that are there afterwards and the rows that are bad.
type fileCase struct {
	name, in  string
	good, bad []string
}

func TestBadRowsTakeNoOtherWithThem(t *testing.T) {
	cases := []fileCase{
		{
			"broken quote", "account,name,email\na1,\"Li,a@example.com\na2,Mei,b@example.com\na3,Wu,c@example.com\n",
			[]string{"a2", "a3"},
			[]string{"2  import-quote"},
		},
		{"NUL bytes", "account,name\na1,L\x00i\na2,Mei\n", []string{"a2"}, []string{"2 name import-nul"}},
		{"10 MB in one field", "account,name\na1," + strings.Repeat("x", 10<<20) + "\na2,Mei\n", []string{"a2"}, []string{"2  import-line-too-long"}},
		{
			"duplicate id", "account,name\na1,Li\na2,Mei\na1,Wu\na3,Xu\na1,Zu\n",
			[]string{"a1", "a2", "a3"},
			[]string{"4 account import-duplicate", "6 account import-duplicate"},
		},
		{
			"duplicate of a bad row", "account,email\na1,nobody\na1,m@example.com\n", nil,
			[]string{"2 email email-no-at", "3 account import-duplicate"},
		},
		{
			"duplicate far away", "account\na1\n" + "b1\nb2\nb3\nb4\nb5\nb6\nb7\n" + "a1\n",
			[]string{"a1", "b1", "b2", "b3", "b4", "b5", "b6", "b7"},
			[]string{"10 account import-duplicate"},
		},
		{"ids differ by case", "account\na1\nA1\n", []string{"A1", "a1"}, nil},
		{"account id with @", "account,name\nm.li@example.com,Li\na2,Mei\n", []string{"a2"}, []string{"2 account account-id-invalid"}},
		{"no account id", "account,name\n,Li\na2,Mei\n", []string{"a2"}, []string{"2 account account-id-invalid"}},
		{
			"quoted newline", "account,name\na1,\"Li\r\nMei\"\na2,Wu\na3,\"Li\x01\"\n",
			[]string{"a2"},
			[]string{"2 name name-characters", "5 name name-characters"},
		},
		{
			"wrong phone and e-mail", "account,email,phone,country\na1,nobody,12,GB\na2,m@example.com,020 7946 0000,GB\n",
			[]string{"a2"},
			[]string{"2 email email-no-at", "2 phone phone-too-short"},
		},
		{
			"phone of another country", "account,phone,country\na1,010 6552 9988,GB\na2,,\n",
			[]string{"a2"},
			[]string{"2 phone phone-other-country"},
		},
		{
			"wrong extension", "account,phone-2,phone-2_extension\na1,+442079460000,x\na2,,7\na3,+442079460000,7\n",
			[]string{"a3"},
			[]string{"2 phone-2_extension phone-extension-not-digits", "3 phone-2_extension import-extension-alone"},
		},
		{
			"wrong account values", "account,name,locale,time_zone,country,mailbox\na1,,?,,,\na2,,,Mars/Base,,\na3,,,,Atlantis,\na4,,,,,x\na5,,,,,\n",
			[]string{"a5"},
			[]string{"2 locale locale-invalid", "3 time_zone time-zone-unknown", "4 country country-unknown", "5 mailbox email-no-at"},
		},
		{"header only", "account,name\n", nil, nil},
		{"CRLF and a mark", "\xef\xbb\xbfaccount,name\r\na1,Li\r\na2,Mei\r\n", []string{"a1", "a2"}, nil},
	}
	engines(t, func(t *testing.T, b *bundle) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				b.empty(t)
				c.check(t, b)
			})
		}
	})
}

func (c fileCase) check(t *testing.T, b *bundle) {
	res, bad := b.load(t, importer.CSV, c.in)
	if diff := cmp.Diff(c.bad, bad); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(c.good, b.ids(t)); diff != "" {
		t.Error(diff)
	}
	if res.Imported != len(c.good) || res.Rows != res.Imported+res.Bad || res.Unchanged != 0 {
		t.Errorf("%+v", res)
	}
}

// empty removes what an import before left.
func (b *bundle) empty(t *testing.T) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		for _, table := range []string{"account", "contact", "event"} {
			tx.Later("DELETE FROM " + table)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFaultsOfTheWholeFile(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for in, want := range map[string]string{
			"name,email\nLi,m@example.com\n": "missing-column",
			"account,fax\na1,1\n":            "unknown-column",
			"":                               "import-empty",
		} {
			var bad bytes.Buffer
			_, err := b.importer().Import(t.Context(), strings.NewReader(in), importer.CSV, &bad, i18n.En, nil)
			if !fault.Is(err, want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if bad.Len() > 0 || b.ids(t) != nil || b.events(t, "")["import.finished"] != nil {
				t.Error("something was written")
			}
		}
	})
}

// events are the bodies of an account's events, by type.
func (b *bundle) events(t *testing.T, id string) map[string][]map[string]any {
	t.Helper()
	found := map[string][]map[string]any{}
	b.read(t, func(ctx context.Context, tx *store.Tx) error {
		all, err := event.OfAccount(ctx, tx, id, "", 100)
		for _, e := range all {
			if e.Actor != event.CLI {
				t.Errorf("%s by %s", e.Type, e.Actor)
			}
			found[e.Type] = append(found[e.Type], e.Body)
		}
		return err
	})
	return found
}

func TestImportingAgain(t *testing.T) {
	const header = "account,name,email\n"
	engines(t, func(t *testing.T, b *bundle) {
		b.load(t, importer.CSV, header+"a1,Li,a@example.com\na2,Mei,b@example.com\na3,Wu,c@example.com\na4,Xu,d@example.com\n")
		before := b.events(t, "a1")
		res, bad := b.load(t, importer.CSV, header+"a1,Li,a@example.com\na2,Mei,new@example.com\na3,Wei,c@example.com\na4,Xu,\n")
		if diff := cmp.Diff(importer.Result{Rows: 4, Imported: 2, Unchanged: 2}, res); diff != "" || bad != nil {
			t.Error(diff, bad)
		}
		for id, want := range map[string]string{
			"a1": "Li||en|UTC| email=a@example.com unverified",
			"a2": "Mei||en|UTC| email=new@example.com unverified",
			"a3": "Wei||en|UTC| email=c@example.com unverified",
			"a4": "Xu||en|UTC| email=d@example.com unverified",
		} {
			if diff := cmp.Diff(want, b.describe(t, id)); diff != "" {
				t.Error(diff)
			}
		}
		if diff := cmp.Diff(before, b.events(t, "a1")); diff != "" {
			t.Errorf("what did not change has events: %s", diff)
		}
		finished := []map[string]any{
			{"rows": 4.0, "imported": 2.0, "unchanged": 2.0, "bad": 0.0},
			{"rows": 4.0, "imported": 4.0, "unchanged": 0.0, "bad": 0.0},
		}
		if diff := cmp.Diff(finished, b.events(t, "")["import.finished"]); diff != "" {
			t.Error(diff)
		}
	})
}

// A contact in force is changed by its own rules: the imported value waits for its proof.
func TestVerifiedContactStaysInForce(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.load(t, importer.CSV, "account,email\na1,old@example.com\n")
		slot, _ := contact.ParseSlot("email")
		err := b.db.Write(t.Context(), func(tx *store.Tx) error {
			target, err := b.contacts.Target(t.Context(), tx, "a1", slot)
			if err != nil {
				return err
			}
			_, err = b.contacts.MarkVerified(t.Context(), tx, "a1", slot, target.Version, event.CLI)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if res, _ := b.load(t, importer.CSV, "account,email\na1,new@example.com\n"); res.Imported != 1 {
			t.Errorf("%+v", res)
		}
		if got := b.describe(t, "a1"); got != "||en|UTC| email=old@example.com verified" {
			t.Errorf("the account is %s", got)
		}
		if n := len(b.events(t, "a1")["contact.change_requested"]); n != 1 {
			t.Errorf("%d changes requested", n)
		}
	})
}

// A row that the database does not take is reported, and the rest of its batch goes in.
func TestRowThatTheDatabaseRefuses(t *testing.T) {
	const in = "account,name,email\na1,Li,a@example.com\na2,Mei,b@example.com\na3,Wu,c@example.com\n"
	engines(t, func(t *testing.T, b *bundle) {
		b.load(t, importer.CSV, "account\na2\n")
		err := b.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE account SET data_key = $1 WHERE account_id = 'a2'", []byte("damaged"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		res, bad := b.load(t, importer.CSV, in)
		if diff := cmp.Diff(importer.Result{Rows: 3, Imported: 2, Bad: 1}, res); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"3  import-row-failed"}, bad); diff != "" {
			t.Error(diff)
		}
		if got := b.describe(t, "a3"); got != "Wu||en|UTC| email=c@example.com unverified" {
			t.Errorf("the account is %s", got)
		}
	})
}

func TestProgressAndCancelling(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		ctx, cancel := context.WithCancel(t.Context())
		var seen []int
		in := "account\na1\na2\na3\na4\na5\na6\na7\n"
		res, err := b.importer().Import(ctx, strings.NewReader(in), importer.CSV, nil, i18n.En, func(p importer.Progress) {
			if seen = append(seen, p.Rows); p.Rows == 2*batch {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || res.Imported != 2*batch {
			t.Errorf("%+v, %v", res, err)
		}
		if diff := cmp.Diff([]int{batch, 2 * batch}, seen); diff != "" {
			t.Error(diff)
		}
		if n := len(b.ids(t)); n != 2*batch {
			t.Errorf("%d accounts", n)
		}
		if again, _ := b.load(t, importer.CSV, in); again.Imported != 1 || again.Unchanged != 2*batch {
			t.Errorf("again: %+v", again)
		}
	})
}

// What is reported has the rule and no value, in the language asked for.
func TestReportRepeatsNoValue(t *testing.T) {
	const in = "account,name,mailbox,email,phone,phone_extension\n" +
		"secret@id,secret,secret,secret,secret,secret\na1,\"secret\nsecret\",,,,\na2,secret,secret,,,\na3,\"secret\"secret\n"
	engines(t, func(t *testing.T, b *bundle) {
		var bad bytes.Buffer
		res, err := b.importer().Import(t.Context(), strings.NewReader(in), importer.CSV, &bad, i18n.Zh, nil)
		if err != nil || res.Bad != 4 {
			t.Fatalf("%+v, %v", res, err)
		}
		if text := bad.String(); strings.Contains(text, "secret") || !strings.Contains(text, "引号") || !strings.HasPrefix(text, "\ufeffline,") {
			t.Errorf("the report is %q", text)
		}
	})
}
