package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// sealedColumns name the place of each sealed value, as the package that seals it does.
var sealedColumns = map[string]func(r row) seal.Place{
	"account.name": func(r row) seal.Place { return seal.Place{Table: "account", Row: r.text("account_id"), Column: "name"} },
	"account.mailbox": func(r row) seal.Place {
		return seal.Place{Table: "account", Row: r.text("account_id"), Column: "mailbox"}
	},
	"contact.value":            contactPlace,
	"contact.pending_value":    contactPlace,
	"contact_change.old_value": func(r row) seal.Place { return ofAccount(r, "contact_change", "change_id", "old_value") },
	"deferral.reason":          func(r row) seal.Place { return ofAccount(r, "deferral", "deferral_id", "reason") },
	"notice.variables": func(r row) seal.Place {
		return seal.Place{Table: "notice", Row: r.text("notice_id"), Column: "variables"}
	},
	"delivery.address":         func(r row) seal.Place { return deliveryPlace(r, "address") },
	"delivery.payload":         func(r row) seal.Place { return deliveryPlace(r, "payload") },
	"delivery.words":           func(r row) seal.Place { return deliveryPlace(r, "words") },
	"mailbox_change.old_value": func(r row) seal.Place { return ofAccount(r, "mailbox_change", "event_id", "old_value") },
	"portal_session.return_url": func(r row) seal.Place {
		return seal.Place{Table: "portal_session", Row: r.text("session_id"), Column: "return_url"}
	},
	"event.sealed": func(r row) seal.Place { return event.Place(r.text("event_id")) },
}

// underInstance are the columns that are sealed under the instance's key.
var underInstance = []string{"event.sealed", "portal_session.return_url"}

func contactPlace(r row) seal.Place { return ofAccount(r, "contact", "slot", "value") }

func ofAccount(r row, table, id, column string) seal.Place {
	return seal.Place{Table: table, Row: r.text("account_id") + "/" + r.text(id), Column: column}
}

func deliveryPlace(r row, column string) seal.Place {
	return seal.Place{Table: "delivery", Row: r.text("delivery_id"), Column: column}
}

// hashColumns hold keyed hashes, or data keys that are wrapped themselves.
var hashColumns = []string{
	"account.data_key", "account.mailbox_index", "instance.data_key", "instance.fingerprint", "api_key.hash", "rate_window.key",
	"contact.value_index", "contact.pending_index", "contact_change.old_index", "delivery.target_index",
	"verification.target_index", "verification.tokens", "verification_slot.codes", "portal_session.secret", "dispute_code.hash",
	"idempotency.key", "idempotency.request",
}

// survivors are the tables in which an erased account's id stays: what happened, and the limits that outlive it.
var survivors = []string{"event", "verification_slot"}

func TestErasureLeavesNothing(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			e := newEstate(t, engine)
			e.settle("leaver", "Abendstern")
			e.settle("stayer", "Morgenrot")
			before := e.opened()
			for column := range sealedColumns {
				if len(before[column]) < 2 {
					t.Errorf("%s was filled %d times: this test proves nothing about it", column, len(before[column]))
				}
			}
			key := e.dataKey("leaver")
			if engine == store.SQLite && !e.onDisk(key) {
				t.Error("the wrapped key is not found before the erasure: the search looks past it")
			}
			e.must(http.StatusNoContent, http.MethodDelete, accountPath("leaver"), nil)
			if engine == store.SQLite && e.onDisk(key) {
				t.Error("the wrapped key is still on the disk")
			}
			e.nothingLeftOf("leaver", "Abendstern")
			e.stillWhole("stayer", "Morgenrot")
		})
	}
}

// estate is a service with a mail server that takes, defers and refuses.
type estate struct {
	*service
	sink  *apptest.Sink
	clock *apptest.Clock
}

func newEstate(t *testing.T, engine store.Engine) *estate {
	e := &estate{sink: apptest.NewSink(t, apptest.SinkOptions{}), clock: apptest.NewClock(time.Now())}
	s := settingsOn(t, engine)
	s.SMTP.URL, s.Mail.From = e.sink.URL(), "contacts@harbourline.example"
	s.ReturnURLs = []string{"https://harbourline.example/"}
	e.service = serve(t, s, at(e.clock))
	return e
}

// settle gives an account one of everything that is sealed; the word is in each of its values.
func (e *estate) settle(id, word string) {
	e.Helper()
	mail := func(local string) string { return local + "." + id + "@" + strings.ToLower(word) + ".example" }
	e.put(id, object{"name": word + " Trading", "country": "GB", "mailbox": mail("box")},
		map[string]string{"email": mail("old"), "email-2": mail("gone"), "email-3": mail("slow"), "phone-2": "020 7946 0735"})
	e.sink.Fail(apptest.Failure{At: apptest.AtRcpt, To: mail("gone"), Code: 550, Enhanced: "5.1.1", Text: "no " + word + " here"})
	e.sink.Fail(apptest.Failure{At: apptest.AtRcpt, To: mail("slow"), Code: 450, Enhanced: "4.2.0", Text: "later, " + word})
	verification := e.start(id, "email")
	e.check(verification, letterTo(e, e.sink, mail("old")).code(e))
	e.must(http.StatusOK, http.MethodPut, contactPath(id, "email"), object{"value": mail("new")})
	e.start(id, "email-2")
	e.start(id, "email-3")
	e.leave(id, word, mail)
	e.must(http.StatusCreated, http.MethodPost, "/v1/portal-sessions",
		object{"account": id, "return_url": "https://harbourline.example/" + word})
	e.must(http.StatusCreated, http.MethodPost, contactPath(id, "phone-2")+"/deferrals",
		object{"until": e.clock.Now().Add(time.Hour), "reason": word + " is at sea"})
	slot, err := contact.ParseSlot("email")
	if err != nil {
		e.Fatal(err)
	}
	err = e.main.app.db.Write(e.Context(), func(tx *store.Tx) error {
		_, err := e.main.app.contacts.Reveal(e.Context(), tx, id, slot, "key:test", "the desk was called back")
		return err
	})
	if err != nil {
		e.Fatal(err)
	}
	e.eventually("a refused and a deferred message", func() bool {
		words := 0
		for _, r := range tables(e, e.main.Settings)["delivery"] {
			if r.text("account_id") == id && r["words"] != nil {
				words++
			}
		}
		return words == 2
	})
}

// leave has a verified contact removed, disputed, and the mailbox changed.
func (e *estate) leave(id, word string, mail func(local string) string) {
	e.Helper()
	e.must(http.StatusOK, http.MethodPut, contactPath(id, "email-4"), object{"value": mail("left")})
	verification := e.start(id, "email-4")
	e.check(verification, letterTo(e, e.sink, mail("left")).code(e))
	e.must(http.StatusNoContent, http.MethodDelete, contactPath(id, "email-4"), nil)
	e.must(http.StatusCreated, http.MethodPost, contactPath(id, "email-4")+"/disputes", object{})
	e.must(http.StatusOK, http.MethodPut, accountPath(id), object{"name": word + " Trading", "country": "GB", "mailbox": mail("post")})
	e.eventually("the message to the contact that was removed", func() bool {
		return slices.ContainsFunc(tables(e, e.main.Settings)["dispute_code"], func(r row) bool { return r.text("account_id") == id })
	})
	e.untold(id, mail("untold"))
}

// untold keeps a former mailbox that nobody was told of yet, by the id of an event that never comes: the service forgets
// those of its own events within moments.
func (e *estate) untold(id, mailbox string) {
	e.Helper()
	ctx, app := e.Context(), e.main.app
	err := app.db.Write(ctx, func(tx *store.Tx) error {
		acc, err := app.accounts.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		place := sealedColumns["mailbox_change.old_value"](row{"account_id": id, "event_id": "to-come"})
		_, err = tx.Exec(ctx, "INSERT INTO mailbox_change (account_id, event_id, old_value) VALUES ($1, 'to-come', $2)",
			id, acc.Key.Seal(place, []byte(mailbox)))
		return err
	})
	if err != nil {
		e.Fatal(err)
	}
}

// opened opens every sealed value of every table and returns the clear ones by column; a column of bytes that this test does
// not know is an error.
func (e *estate) opened() map[string][]string {
	e.Helper()
	all := tables(e, e.main.Settings)
	keys := map[string]seal.DataKey{}
	for _, r := range all["account"] {
		key, err := e.main.app.keys.Unwrap(r.text("account_id"), r["data_key"].([]byte))
		if err != nil {
			e.Fatalf("the key of %s: %v", r.text("account_id"), err)
		}
		keys[r.text("account_id")] = key
	}
	clear := map[string][]string{}
	for table, rows := range all {
		if strings.HasPrefix(table, "river_") || strings.HasPrefix(table, "goose_") || strings.HasPrefix(table, "sqlite_") {
			continue
		}
		for _, r := range rows {
			e.open(table, r, keys, clear)
		}
	}
	return clear
}

func (e *estate) open(table string, r row, keys map[string]seal.DataKey, clear map[string][]string) {
	e.Helper()
	for name, value := range r {
		column := table + "." + name
		bytes, ok := value.([]byte)
		if !ok || len(bytes) == 0 || slices.Contains(hashColumns, column) {
			continue
		}
		place, known := sealedColumns[column]
		if !known {
			e.Errorf("%s holds bytes, and this test does not know whether they are sealed", column)
			continue
		}
		key := keys[r.text("account_id")]
		if slices.Contains(underInstance, column) {
			key = e.main.app.keys.Instance()
		}
		plain, err := key.Open(place(r), bytes)
		if err != nil {
			e.Errorf("%s of account %s: %v", column, r.text("account_id"), err)
			continue
		}
		clear[column] = append(clear[column], string(plain))
	}
}

func (e *estate) dataKey(account string) []byte {
	e.Helper()
	for _, r := range tables(e, e.main.Settings)["account"] {
		if r.text("account_id") == account {
			return r["data_key"].([]byte)
		}
	}
	e.Fatalf("there is no account %s", account)
	return nil
}

// onDisk looks for bytes in the database's file and its companions.
func (e *estate) onDisk(wanted []byte) bool {
	e.Helper()
	names, err := filepath.Glob(databaseFile(e.main.Settings) + "*")
	if err != nil || len(names) == 0 {
		e.Fatalf("no database file: %v", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			e.Fatal(err)
		}
		if bytes.Contains(content, wanted) {
			return true
		}
	}
	return false
}

// nothingLeftOf opens all that there is after an erasure.
func (e *estate) nothingLeftOf(account, word string) {
	e.Helper()
	for column, values := range e.opened() {
		for _, v := range values {
			if strings.Contains(strings.ToLower(v), strings.ToLower(word)) {
				e.Errorf("%s still holds something of the erased account", column)
			}
		}
	}
	for table, rows := range tables(e, e.main.Settings) {
		for _, r := range rows {
			if r.text("account_id") == account && !slices.Contains(survivors, table) {
				e.Errorf("table %s still has a row of the erased account", table)
			}
			if table == "verification_slot" && r.text("account_id") == account && fmt.Sprint(r["codes"]) != "[]" {
				e.Errorf("the erased account still has live codes")
			}
		}
	}
	e.refused("unknown-account", http.MethodGet, accountPath(account), nil)
	e.eventually("the erasure in the feed", func() bool { return slices.Contains(e.events(account), "account.erased") })
}

// stillWhole says that an account's data can all be read.
func (e *estate) stillWhole(account, word string) {
	e.Helper()
	if name := e.must(http.StatusOK, http.MethodGet, accountPath(account), nil).text("name"); name != word+" Trading" {
		e.Errorf("the other account's name is %q", name)
	}
	shown := e.must(http.StatusOK, http.MethodGet, accountPath(account)+"/contacts?reveal=true", nil)
	for _, local := range []string{"old", "new", "gone", "slow"} {
		if !strings.Contains(string(shown.raw), local+"."+account+"@") {
			e.Errorf("the other account's contact %q cannot be read", local)
		}
	}
}

// What a transaction that overlapped an erasure wrote goes too, and what the account has had since it came back stays.
func TestLeftoversOfAnErasureGo(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			e := newEstate(t, engine)
			app, ctx := e.main.app, e.Context()
			e.put("comer", object{"name": "Morgenrot"}, map[string]string{"email": "a@morgenrot.example"})
			old := e.start("comer", "email")
			e.clock.Advance(time.Minute)
			err := app.db.Write(ctx, func(tx *store.Tx) error { // the account alone goes: the rest is what overlapped
				_, err := tx.Exec(ctx, "DELETE FROM account WHERE account_id = 'comer'")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			e.put("comer", object{"name": "Abendstern"}, map[string]string{"email-2": "b@abendstern.example"})
			kept := e.start("comer", "email-2")
			if err := app.removeLeftovers(ctx, leftovers{Account: "comer"}); err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"verification", "notice", "delivery"} {
				if n := len(tables(e, e.main.Settings)[table]); n != 1 {
					t.Errorf("%s has %d rows, want the new one", table, n)
				}
			}
			for _, r := range tables(e, e.main.Settings)["verification"] {
				if id := r.text("verification_id"); id != kept || id == old {
					t.Errorf("verification %s is left, want %s", id, kept)
				}
			}
		})
	}
}
