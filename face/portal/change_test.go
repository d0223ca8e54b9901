package portal_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// holds is what stands in a slot, in clear, and what waits there.
func (b *bundle) holds(id, name string) (value, waits string, state contact.State) {
	b.Helper()
	b.must(b.db.Read(b.ctx, func(tx *store.Tx) error {
		_, all, err := b.contacts.All(b.ctx, tx, id)
		for _, k := range all {
			if k.Slot != slot(name) {
				continue
			}
			value, state = k.String(), k.State
			if k.Pending != nil {
				waits = k.Pending.String()
			}
		}
		return err
	}))
	return value, waits, state
}

func (b *bundle) wantHolds(id, name, value, waits string) {
	b.Helper()
	if v, w, _ := b.holds(id, name); v != value || w != waits {
		b.Errorf("%s holds %q and waits for %q, want %q and %q", name, v, w, value, waits)
	}
}

func TestAFirstAddressIsGivenAndVerified(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		p := br.get(home + "/contacts/email/change").want(http.StatusOK).says(say("portal.change.title-add", say("portal.task.email")))
		bad := br.press(p, say("portal.change.submit"), "value", "mei at example.com").want(http.StatusUnprocessableEntity).
			blames("value", say("fault.email-no-at"))
		if bad.value("value") != "mei at example.com" {
			b.Errorf("the field holds %q", bad.value("value"))
		}
		b.wantHolds(id, "email", "", "")
		next := br.press(bad, say("portal.change.submit"), "value", " mei@example.com ").want(http.StatusOK).
			says(say("portal.verify.title", say("portal.task.email")), "m•••@example.com")
		if next.path != home+"/contacts/email/verify" {
			b.Errorf("it leads to %s", next.path)
		}
		b.wantHolds(id, "email", "mei@example.com", "")
	})
}

func TestAVerifiedAddressStaysUntilTheNewOneIsVerified(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		b.verify(id, "email", verify.Code)
		b.clock.Advance(time.Minute)
		p := br.get(home+"/contacts/email/change").says("m•••@example.com", say("portal.change.stays"))
		choose := br.press(p, say("portal.change.submit"), "value", "li@example.com").want(http.StatusOK).
			says("l•••@example.com", say("portal.verify.replaces", "m•••@example.com"))
		b.wantHolds(id, "email", "mei@example.com", "li@example.com")
		br.press(p, say("portal.change.submit"), "value", "li@example.com").want(http.StatusOK) // a double click
		b.wantHolds(id, "email", "mei@example.com", "li@example.com")
		if got := slices.Index(b.events(id), "contact.change_cancelled"); got >= 0 {
			b.Error("the second form took the first back")
		}
		code := br.press(choose, say("portal.verify.send-email")).says(say("portal.code.lead-code", "l•••@example.com"))
		done := br.press(code, say("portal.code.submit"), "code", b.code()).want(http.StatusOK)
		done.says("l•••@example.com", say("portal.done.replaced", "m•••@example.com"))
		b.wantHolds(id, "email", "li@example.com", "")
	})
}

func TestAChangeThatWaitsCanBeTakenBack(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "phone", "+8613800138000")
		b.verify(id, "phone", verify.SMS)
		b.set(id, "phone", "+8613900139000")
		p := br.get(home + "/contacts/phone/change").says(say("portal.change.waits.title", "+86 139 •••• 9000"))
		for range 2 {
			br.press(p, say("portal.change.waits.withdraw")).want(http.StatusOK)
			b.wantHolds(id, "phone", "+8613800138000", "")
		}
		br.press(p, say("portal.change.waits.withdraw"))
		if n := len(slices.DeleteFunc(b.events(id), func(e string) bool { return e != "contact.change_cancelled" })); n != 1 {
			b.Errorf("taken back %d times", n)
		}
		// The same value again is the other way to take a change back.
		b.set(id, "phone", "+8613900139000")
		br.press(br.get(home+"/contacts/phone/change"), say("portal.change.submit"), "value", "138 0013 8000").want(http.StatusOK)
		b.wantHolds(id, "phone", "+8613800138000", "")
	})
}

func TestAChangeThatTookEffectMeanwhileIsNotTakenBack(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		b.verify("a", "email", verify.Code)
		b.set("a", "email", "li@example.com")
		br, home := b.enter(auth.SessionInput{Account: "a"})
		p := br.get(home + "/contacts/email/change")
		b.clock.Advance(pause)
		b.verify("a", "email", verify.Code)
		br.press(p, "Keep the current one").want(http.StatusOK)
		b.wantHolds("a", "email", "li@example.com", "")
	})
}

func TestANumberIsReadInTheAccountsCountry(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		country := map[bool]string{true: "中国", false: "China"}[strings.HasSuffix(id, "CN")]
		p := br.get(home + "/contacts/phone/change").says(say("portal.change.hint-phone-of", country))
		bad := br.press(p, say("portal.change.submit"), "value", "138 0013 8000", "extension", "twelve").want(http.StatusUnprocessableEntity).
			blames("extension", say("fault.phone-extension-not-digits"))
		if bad.value("value") != "138 0013 8000" || bad.value("extension") != "twelve" {
			b.Error("what was typed is gone")
		}
		br.press(bad, say("portal.change.submit"), "value", "138 0013 8000", "extension", "").want(http.StatusOK).says("+86 138 •••• 8000")
		b.wantHolds(id, "phone", "+8613800138000", "")
		br.press(p, say("portal.change.submit"), "value", "010 6552 9988", "extension", "12").want(http.StatusOK).
			says(say("portal.verify.silent.title", "+86 10 •••• 9988 ext. ••"))
	})
}

func TestTheVerifiedValueIsNoChange(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		p := br.get(home + "/contacts/email/change").says(say("portal.change.replaced"))
		br.press(p, say("portal.change.submit"), "value", "mei@example.com").want(http.StatusOK).says(say("portal.verify.title", say("portal.task.email")))
		b.verify(id, "email", verify.Code)
		br.press(p, say("portal.change.submit"), "value", "mei@example.com").want(http.StatusUnprocessableEntity).blames("value", say("portal.change.same"))
	})
}

func TestAnOldSignInChangesNothing(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		br, home := b.enter(auth.SessionInput{Account: "a", AuthenticatedAt: b.clock.Now()})
		p := br.get(home + "/contacts/email/change").want(http.StatusOK)
		b.clock.Advance(16 * time.Minute)
		br.press(p, "Save and verify", "value", "li@example.com").want(http.StatusForbidden)
		br.get(home + "/contacts/email/remove").want(http.StatusForbidden)
		br.get(home + "/contacts/email/verify").want(http.StatusOK).lacks(home + "/contacts/email/change")
		b.wantHolds("a", "email", "mei@example.com", "")
	})
}
