package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"countersign.dev/verify"
)

func TestAContactIsRemovedAfterAQuestion(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		page := home + "/contacts/email/remove"
		br.get(page).want(http.StatusOK).says("m•••@example.com", say("portal.remove.untold")).silent(say("portal.remove.last.title"))
		b.verify(id, "email", verify.Code)
		p := br.get(page).says(say("portal.remove.told"), say("portal.remove.dispute"), say("portal.remove.last.title")).links(home)
		b.wantHolds(id, "email", "mei@example.com", "")
		for range 2 {
			if done := br.press(p, say("portal.remove.submit")).want(http.StatusOK); done.path != home+"?done=removed" {
				b.Errorf("it leads to %s", done.path)
			}
		}
		b.wantHolds(id, "email", "", "")
		if n := len(slices.DeleteFunc(b.events(id), func(e string) bool { return e != "contact.removed" })); n != 1 {
			b.Errorf("removed %d times", n)
		}
		if p := br.get(page).want(http.StatusOK); p.path != home {
			b.Errorf("an empty slot leads to %s", p.path)
		}
	})
}

func TestWhatWasNotShownIsNotRemoved(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "phone", "+8613800138000")
		p := br.get(home + "/contacts/phone/remove")
		b.set(id, "phone", "+8613900139000")
		again := br.press(p, say("portal.remove.submit")).want(http.StatusConflict).says(say("portal.remove.changed"), "+86 139 •••• 9000")
		br.post(home+"/contacts/phone/remove", url.Values{}).want(http.StatusConflict)
		b.wantHolds(id, "phone", "+8613900139000", "")
		br.press(again, say("portal.remove.submit")).want(http.StatusOK)
		b.wantHolds(id, "phone", "", "")
	})
}
