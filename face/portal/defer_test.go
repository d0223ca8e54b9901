package portal_test

import (
	"net/http"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// wait is how things stand with the deferrals of a slot.
func (b *bundle) wait(id, name string) (w contact.Wait) {
	b.Helper()
	b.must(b.db.Read(b.ctx, func(tx *store.Tx) (err error) {
		w, err = b.contacts.Budget(b.ctx, tx, id, slot(name))
		return err
	}))
	return w
}

// day is the end of a day of March 2026 in Shanghai.
func day(d int) time.Time {
	return time.Date(2026, 3, d, 15, 59, 59, 0, time.UTC)
}

func TestAContactIsPutOff(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		page := home + "/contacts/phone/defer"
		p := br.get(page).want(http.StatusOK).says(say("portal.defer.left", say("portal.defer.left-days", 14), say("portal.defer.left-times", 3)), say("portal.defer.means-same"))
		if p.value("until") != "2026-03-10" {
			b.Errorf("the day offered is %s", p.value("until"))
		}
		br.press(p, say("portal.defer.submit")).want(http.StatusUnprocessableEntity).blames("why", say("portal.defer.why-missing"))
		bad := br.press(p, say("portal.defer.submit"), "why", "other", "until", "2026-03-12").want(http.StatusUnprocessableEntity).
			blames("reason", say("portal.defer.reason-missing"))
		if bad.value("until") != "2026-03-12" {
			b.Errorf("the day typed is gone: %s", bad.value("until"))
		}
		for range 2 {
			if done := br.press(p, say("portal.defer.submit"), "why", "sim").want(http.StatusOK); done.path != home+"?done=deferred" {
				b.Errorf("it leads to %s", done.path)
			}
			if w := b.wait(id, "phone"); !w.Until.Equal(day(10)) || w.TimesLeft != 2 || w.DaysLeft != 6 {
				b.Errorf("%+v", w)
			}
		}
		again := br.get(page).says(say("portal.defer.left-days", 6), say("portal.defer.left-times", 2))
		if again.value("until") != "2026-03-16" {
			b.Errorf("the day offered is %s", again.value("until"))
		}
		br.press(again, say("portal.defer.submit"), "why", "sim", "until", "2026-03-09").want(http.StatusUnprocessableEntity)
	})
}

func TestADayIsChosenWithinWhatIsLeft(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		p := br.get(home + "/contacts/email/defer")
		for typed, want := range map[string]string{
			"":           "portal.defer.until-missing",
			"next week":  "portal.defer.until-malformed",
			"2026-02-30": "portal.defer.until-malformed",
			"2026-03-02": "portal.defer.until-past",
			"2027-01-01": "portal.defer.until-late",
			"2026-03-17": "portal.defer.until-late",
		} {
			date := map[string]string{"seller-en": "16 March 2026", "seller-zh-CN": "2026年3月16日"}[id]
			br.press(p, say("portal.defer.submit"), "why", "travel", "until", typed).want(http.StatusUnprocessableEntity).blames("until", say(want, date))
		}
		if w := b.wait(id, "email"); w.TimesLeft != 3 {
			b.Errorf("%+v", w)
		}
		br.press(p, say("portal.defer.submit"), "reason", "new office", "until", "２０２６年3月3日").want(http.StatusOK)
		if w := b.wait(id, "email"); !w.Until.Equal(day(3)) {
			b.Errorf("%+v", w)
		}
	})
}

func TestWhatCannotBePutOffSaysWhatToDo(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		page := home + "/contacts/email/defer"
		p := br.get(page)
		br.press(p, say("portal.defer.submit"), "why", "setup", "until", "2026-03-16").want(http.StatusOK)
		br.get(page).want(http.StatusOK).says(say("portal.defer.used-up.title")).wantMain(home + "/contacts/email/verify").
			links(home + "/contacts/email/change")
		br.press(p, say("portal.defer.submit"), "why", "setup", "until", "2026-03-17").want(http.StatusUnprocessableEntity)
		b.verify(id, "email", verify.Code)
		br.get(page).want(http.StatusOK).says(say("portal.defer.needless")).wantMain(home)
		br.press(p, say("portal.defer.submit"), "why", "setup").want(http.StatusConflict).says(say("portal.defer.needless"))
	})
}
