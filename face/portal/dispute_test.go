package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"countersign.dev/account"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

// replaced makes an account whose verified address was replaced, and returns what the old one was sent.
func (b *bundle) replaced(id string) (reference, code string) {
	b.Helper()
	b.account(id, i18n.En)
	b.set(id, "email", "mei@example.com")
	b.verify(id, "email", verify.Code)
	b.clock.Advance(pause)
	b.set(id, "email", "thief@example.com")
	b.verify(id, "email", verify.Code)
	b.write(func(tx *store.Tx) error {
		windows, err := b.contacts.Windows(b.ctx, tx, id)
		if err != nil {
			return err
		}
		var acc account.Account
		if acc, _, err = b.contacts.All(b.ctx, tx, id); err != nil {
			return err
		}
		reference = string(notice.NewReference())
		code, _ = b.contacts.NewDisputeCode(tx, acc, windows[0], reference)
		return nil
	})
	return reference, code
}

func TestAChangeIsDisputed(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			say := func(id string, args ...any) string { return i18n.Text(l, id, args...) }
			id := "seller-" + string(l)
			reference, code := b.replaced(id)
			guest := b.browser()
			guest.header["Accept-Language"] = string(l)
			p := guest.get("/dispute?reference=" + reference + "&code=" + code).want(http.StatusOK).silent(reference)
			if p.value("reference") != "" || p.value("code") != "" {
				b.Error("the address fills the form in")
			}
			typed := strings.ToLower(strings.ReplaceAll(reference, "-", " "))
			sent := guest.press(p, say("portal.dispute.submit"), "reference", typed, "code", code[:4]+"-"+code[4:]).want(http.StatusOK)
			sent.says(say("portal.dispute.sent.text"), say("portal.dispute.then.same")).silent(reference, code, id)
			if sent.path != "/dispute?sent=1" {
				b.Errorf("it leads to %s", sent.path)
			}
			guest.press(p, say("portal.dispute.submit"), "reference", reference, "code", code).want(http.StatusOK).says(say("portal.dispute.sent.again"))
			if n := len(slices.DeleteFunc(b.events(id), func(e string) bool { return e != "contact.disputed" })); n != 1 {
				b.Errorf("disputed %d times", n)
			}
			if value, _, state := b.holds(id, "email"); value != "thief@example.com" || state != contact.Verified {
				b.Errorf("it is now %s, %s", value, state)
			}
		}
	})
}

func TestADisputeThatDoesNotMatchSaysSo(t *testing.T) {
	onBoth(t, func(b *bundle) {
		reference, code := b.replaced("a")
		guest := b.browser()
		p := guest.get("/dispute")
		fault := func(id string, args ...any) string { return i18n.Text(i18n.En, "fault."+id, args...) }
		try := func(reference, code string) page {
			return guest.press(p, "Dispute the change", "reference", reference, "code", code)
		}
		both := try("CS", "").want(http.StatusUnprocessableEntity).blames("reference", fault("reference-malformed")).blames("code", fault("dispute-code-malformed"))
		if both.value("reference") != "CS" || both.value("code") != "" {
			b.Error("the reference is gone, or the code is not")
		}
		try(reference, "1234").want(http.StatusUnprocessableEntity).blames("code", fault("dispute-code-malformed"))
		unknown := string(notice.NewReference())
		var answers [2]string
		for range 20 {
			for i, r := range []string{reference, unknown} {
				bad := try(r, wrongDispute(code)).want(http.StatusUnprocessableEntity).blames("code", fault("dispute-not-matched", 30))
				answers[i] = strings.ReplaceAll(bad.raw, r, "")
			}
		}
		if answers[0] != answers[1] {
			b.Error("an unknown reference answers differently")
		}
		for _, r := range []string{reference, unknown} {
			try(r, code).want(http.StatusTooManyRequests).says(fault("too-many-dispute-tries"))
		}
		if slices.Contains(b.events("a"), "contact.disputed") {
			b.Error("it is disputed")
		}
	})
}

func TestADisputeFromAnotherSiteIsRefused(t *testing.T) {
	onBoth(t, func(b *bundle) {
		reference, code := b.replaced("a")
		guest := b.browser()
		guest.header["Sec-Fetch-Site"] = "cross-site"
		guest.post("/dispute", url.Values{"reference": {reference}, "code": {code}}).want(http.StatusForbidden)
		if slices.Contains(b.events("a"), "contact.disputed") {
			b.Error("it is disputed")
		}
	})
}

func wrongDispute(code string) string {
	if code == "00000000" {
		return "00000001"
	}
	return "00000000"
}
