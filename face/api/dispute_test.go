package api_test

import (
	"strings"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

const disputes = "/v1/accounts/a/contacts/email/disputes"

func dispute(path string, members ...string) request {
	body := map[string]any{}
	for i := 0; i < len(members); i += 2 {
		body[members[i]] = members[i+1]
	}
	return request{method: "POST", path: path, body: body}
}

// changed has an account's verified address replaced by another verified one, and returns the reference and the code of the message to
// the old one.
func (b *bundle) changed(id string) (reference, code string) {
	b.Helper()
	b.account(id)
	for _, value := range []string{"", "new@example.com"} {
		if value != "" {
			b.want(200, "", request{method: "PUT", path: "/v1/accounts/" + id + "/contacts/email", body: map[string]any{"value": value}})
		}
		b.clock.Advance(time.Minute)
		one, sent := b.beginAgain(id)
		b.want(200, "", b.check(one, sent))
	}
	slot, err := contact.ParseSlot("email")
	b.must(err)
	reference = string(notice.NewReference())
	b.must(b.db.Write(b.ctx, func(tx *store.Tx) error {
		all, err := b.options.Contacts.Windows(b.ctx, tx, id)
		if err != nil {
			return err
		}
		acc, w, err := b.options.Contacts.Change(b.ctx, tx, id, slot, all[0].Version)
		if err == nil {
			code, _ = b.options.Contacts.NewDisputeCode(tx, acc, w, reference)
		}
		return err
	}))
	return reference, code
}

func TestThePlatformDisputesAChange(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.changed("a")
		at := b.clock.Now().Format(time.RFC3339)
		b.clock.Advance(time.Hour)
		out := b.fresh(201, "", dispute(disputes).idempotent("k"))
		if len(out.doc) != 4 || out.doc["slot"] != "email" || out.doc["state"] != "open" || out.doc["changed_at"] != at ||
			out.doc["disputed_at"] != b.clock.Now().Format(time.RFC3339) {
			b.Errorf("%v", out.doc)
		}
		b.clock.Advance(time.Hour)
		for name, again := range map[string]reply{
			"with the same key": b.replayed(201, "", dispute(disputes).idempotent("k")),
			"anew":              b.fresh(201, "", dispute(disputes)),
		} {
			if again.text != out.text {
				b.Errorf("%s: %s, then %s", name, out.text, again.text)
			}
		}
		if got := b.feed("contact.disputed"); len(got) != 1 {
			b.Errorf("%d disputes", len(got))
		}
		b.clock.Advance(72 * time.Hour)
		b.fresh(409, "nothing-to-dispute", dispute(disputes))
		b.fresh(409, "nothing-to-dispute", dispute("/v1/accounts/a/contacts/phone/disputes"))
	})
}

func TestAChangeIsDisputedByCode(t *testing.T) {
	onBoth(t, func(b *bundle) {
		reference, code := b.changed("a")
		right := dispute(disputes, "reference", strings.ToLower(reference), "code", code[:4]+" "+code[4:]).idempotent("right")
		wrong := dispute(disputes, "reference", reference, "code", other8(code)).idempotent("wrong")
		out := b.fresh(422, "dispute-not-matched", wrong)
		if again := b.replayed(422, "dispute-not-matched", wrong); again.doc["detail"] != out.doc["detail"] || again.doc["field"] != "code" {
			b.Errorf("%s, then %s", out.text, again.text)
		}
		out = b.fresh(201, "", right)
		b.clock.Advance(time.Minute)
		if again := b.replayed(201, "", right); again.text != out.text {
			b.Errorf("%s, then %s", out.text, again.text)
		}
		if got := b.feed("contact.disputed"); len(got) != 1 {
			b.Errorf("%d disputes", len(got))
		}
		// Two tries were counted so far, for two requests.
		for range 18 {
			b.fresh(422, "dispute-not-matched", dispute(disputes, "reference", reference, "code", other8(code)))
		}
		b.fresh(429, "too-many-dispute-tries", dispute(disputes, "reference", reference, "code", code))
		b.want(204, "", request{method: "DELETE", path: "/v1/accounts/a"})
		b.replayed(410, "idempotency-gone", right)
	})
}

// other8 is a dispute code that is not this one.
func other8(code string) string {
	if code == "11111111" {
		return "22222222"
	}
	return "11111111"
}

// The code of another account's change disputes nothing here, and says nothing of it.
func TestACodeIsGoodForItsOwnAccountAndSlot(t *testing.T) {
	onBoth(t, func(b *bundle) {
		reference, code := b.changed("a")
		b.account("b")
		unknown := b.fresh(422, "dispute-not-matched", dispute(disputes, "reference", string(notice.NewReference()), "code", code))
		for _, path := range []string{"/v1/accounts/b/contacts/email/disputes", "/v1/accounts/a/contacts/phone/disputes"} {
			out := b.fresh(422, "dispute-not-matched", dispute(path, "reference", reference, "code", code))
			if out.doc["detail"] != unknown.doc["detail"] {
				b.Errorf("%s: %s, but an unknown reference: %s", path, out.text, unknown.text)
			}
		}
		if got := b.feed("contact.disputed"); len(got) != 0 {
			b.Errorf("%d disputes", len(got))
		}
		b.fresh(201, "", dispute(disputes, "reference", reference, "code", code))
	})
}

func TestBadDisputesAreRefusedByFieldAndRule(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a")
		reference := string(notice.NewReference())
		for name, tt := range map[string]struct {
			r         request
			status    int
			id, field string
		}{
			"a code alone":            {dispute(disputes, "code", "12345678"), 422, "dispute-half-given", "reference"},
			"a reference alone":       {dispute(disputes, "reference", reference), 422, "dispute-half-given", "code"},
			"what is no reference":    {dispute(disputes, "reference", secret, "code", "12345678"), 422, "reference-malformed", "reference"},
			"a code of seven digits":  {dispute(disputes, "reference", reference, "code", "1234567"), 422, "dispute-code-malformed", "code"},
			"an unknown reference":    {dispute(disputes, "reference", reference, "code", "12345678"), 422, "dispute-not-matched", "code"},
			"slot email-6":            {dispute("/v1/accounts/a/contacts/email-6/disputes"), 422, "unknown-slot", "slot"},
			"an unknown account":      {dispute("/v1/accounts/nobody/contacts/email/disputes"), 404, "unknown-account", ""},
			"of one, with a code":     {dispute("/v1/accounts/nobody/contacts/email/disputes", "reference", reference, "code", "12345678"), 404, "unknown-account", ""},
			"no change":               {dispute(disputes), 409, "nothing-to-dispute", ""},
			"no body":                 {request{method: "POST", path: disputes}, 400, "malformed-body", ""},
			"a field that is unknown": {dispute(disputes, "token", secret), 422, "unknown-field", "token"},
		} {
			out := b.want(tt.status, tt.id, tt.r)
			if field, _ := out.doc["field"].(string); field != tt.field || strings.Contains(out.text, secret) {
				b.Errorf("%s: %s", name, out.text)
			}
		}
	})
}
