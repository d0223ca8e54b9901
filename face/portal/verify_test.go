package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/portal"
	"countersign.dev/verify"
)

const pause = 31 * time.Second // more than the first wait between two messages

func TestAnAddressIsVerifiedByCode(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		choose := br.get(home+"/contacts/email/verify").want(http.StatusOK).says(say("portal.verify.title", say("portal.task.email")), "m•••@example.com")
		p := br.press(choose, say("portal.verify.send-email")).want(http.StatusOK).says(say("portal.code.lead-code", "m•••@example.com"))
		if !strings.HasPrefix(p.path, home+"/verifications/") {
			b.Fatalf("at %s", p.path)
		}
		code := b.code()

		br.press(p, say("portal.code.submit"), "code", "12").want(http.StatusUnprocessableEntity).blames("code", say("fault.code-malformed"))
		bad := br.press(p, say("portal.code.submit"), "code", wrong(code)).want(http.StatusUnprocessableEntity).
			blames("code", say("fault.incorrect-code", 4))
		if bad.value("code") != "" || strings.Contains(bad.raw, wrong(code)) {
			b.Error("the wrong code is shown again")
		}
		done := br.press(bad, say("portal.code.submit"), "code", code[:3]+" "+code[3:]).want(http.StatusOK)
		done.says(say("portal.done.title", say("portal.task.email")), "m•••@example.com", say("portal.done.use-email")).
			wantMain(home + "/contacts/phone/change")
		if done.path != p.path {
			b.Errorf("done at %s, not at %s", done.path, p.path)
		}
		if again := br.press(bad, say("portal.code.submit"), "code", code).want(http.StatusOK); again.text != done.text {
			b.Errorf("the right code sent twice ends on %s", again.text)
		}
	})
}

func TestAPhoneIsVerifiedByTextMessage(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		b.set(id, "phone", "+8613800138000")
		p := br.press(br.get(home+"/contacts/phone/verify"), say("portal.verify.send-phone")).
			says(say("portal.code.lead-sms", "+86 138 •••• 8000"), say("portal.hints.phone-landline")).silent(say("portal.resend.instead-link"))
		if !strings.Contains(p.raw, "data-otp") || !strings.Contains(p.raw, `autocomplete="one-time-code"`) {
			b.Error("the browser cannot fill the code in")
		}
		br.press(p, say("portal.code.submit"), "code", b.code()).want(http.StatusOK).
			says(say("portal.done.title", say("portal.task.phone"))).wantMain(home + "/contacts/email/verify")
	})
}

func TestAMessageIsAskedForOnce(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		sent := len(b.box.Messages())
		b.set(id, "email", "mei@example.com")
		choose := br.get(home + "/contacts/email/verify")
		first := br.press(choose, say("portal.verify.send-email")).want(http.StatusOK)
		for range 2 { // a double click, and going back after the pause is over
			if again := br.press(choose, say("portal.verify.send-email")).want(http.StatusOK); again.path != first.path {
				b.Errorf("a second form leads to %s", again.path)
			}
			b.clock.Advance(pause)
		}
		b.set(id, "email-2", "mei@example.com")
		br.post(home+"/contacts/email-2/verify", url.Values{"method": {"sms"}}).want(http.StatusUnprocessableEntity).
			blames("method", say("portal.fault.method-not-for-slot"))
		if p := br.get(home + "/contacts/email/verify"); p.path != first.path {
			b.Errorf("the page to start from leads to %s", p.path)
		}
		b.messages(sent + 1)
	})
}

func TestFormsSentAtOnceSendOneMessage(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		br, home := b.enter(auth.SessionInput{Account: "a"})
		var all sync.WaitGroup
		paths := make([]string, 8)
		for i := range paths {
			all.Go(func() { paths[i] = br.post(home+"/contacts/email/verify", url.Values{"method": {"code"}}).path })
		}
		all.Wait()
		if paths = slices.Compact(paths); len(paths) != 1 || !strings.HasPrefix(paths[0], home+"/verifications/") {
			b.Errorf("they lead to %q", paths)
		}
		b.messages(1)
	})
}

func TestTheOtherMethodTakesThePlaceOfTheFirst(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		first := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"))
		early := br.press(first, say("portal.resend.instead-link")).want(http.StatusTooManyRequests).
			says(say("portal.wait.too-soon", say("ui.in.seconds", 30)), say("portal.code.lead-code", "m•••@example.com"))
		if early.header.Get("Retry-After") != "30" {
			b.Errorf("Retry-After %s", early.header.Get("Retry-After"))
		}
		b.clock.Advance(pause)
		second := br.press(early, say("portal.resend.instead-link")).want(http.StatusOK).
			says(say("portal.code.title-link"), say("portal.code.link-elsewhere"))
		if again := br.press(early, say("portal.resend.instead-link")); again.path != second.path {
			b.Errorf("the same form leads to %s", again.path)
		}
		br.get(first.path).want(http.StatusOK).says(say("portal.ended.superseded.title")).wantMain(home + "/contacts/email/verify")
		br.press(first, say("portal.code.submit"), "code", "123456").want(http.StatusConflict).says(say("portal.ended.superseded.title"))
	})
}

func TestACodeThatFailedSaysWhatToDo(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		p := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"))
		code := b.code()
		for range 4 {
			br.press(p, say("portal.code.submit"), "code", wrong(code)).want(http.StatusUnprocessableEntity)
		}
		last := br.press(p, say("portal.code.submit"), "code", wrong(code)).want(http.StatusUnprocessableEntity).says(say("portal.ended.exhausted.title"))
		br.press(p, say("portal.code.submit"), "code", code).want(http.StatusTooManyRequests).says(say("portal.ended.exhausted.title"))
		br.press(last, say("portal.ended.again-code")).want(http.StatusTooManyRequests).says(say("portal.wait.too-soon", say("ui.in.seconds", 30)))
		b.clock.Advance(pause)
		next := br.press(last, say("portal.ended.again-code")).want(http.StatusOK).says(say("portal.code.lead-code", "m•••@example.com"))
		b.code()
		br.stays(home, 31*time.Minute)
		br.press(next, say("portal.code.submit"), "code", "123456").want(http.StatusGone).says(say("portal.ended.expired.title"), say("portal.ended.again-code"))
		if old := br.get(next.path).want(http.StatusOK).says(say("portal.ended.expired.title")); old.path == p.path {
			b.Error("it is the first verification")
		}
	})
}

func TestALockedContactSaysWhoUnlocksIt(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		p := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"))
		b.write(func(tx *store.Tx) error {
			_, err := tx.Exec(b.ctx, "UPDATE verification_slot SET wrong_run = 100 WHERE account_id = $1", id)
			return err
		})
		br.press(p, say("portal.code.submit"), "code", "123456").want(http.StatusConflict).says(say("fault.slot-locked")).quiet()
		br.stays(home, time.Hour)
		br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email")).want(http.StatusConflict).
			says(say("fault.slot-locked")).quiet()
	})
}

func TestTheDaysMessagesAreUsedUp(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		p := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"))
		for range 4 {
			b.clock.Advance(10 * time.Minute)
			p = br.press(p, say("portal.resend.button-code")).want(http.StatusOK)
		}
		b.clock.Advance(10 * time.Minute)
		spent := br.press(p, say("portal.resend.button-code")).want(http.StatusTooManyRequests).says(say("fault.too-many-messages"))
		if spent.header.Get("Retry-After") != "" {
			b.Error("there is no time after which this verification sends another")
		}
		next := br.press(spent, say("portal.resend.anew")).want(http.StatusOK)
		if next.path == p.path {
			b.Error("it is the same verification")
		}
		for range 4 {
			br.stays(home, time.Hour)
			br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email")).want(http.StatusOK)
		}
		br.stays(home, time.Hour)
		full := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email")).want(http.StatusTooManyRequests)
		if full.header.Get("Retry-After") == "" || !strings.Contains(full.text, map[bool]string{true: "2026年3月4日", false: "4 March 2026"}[strings.HasSuffix(id, "CN")]) {
			b.Errorf("it does not say when: %s", full.text)
		}
	})
}

func TestWhatCannotBeReachedSaysSo(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "phone", "+861065529988")
		br.get(home + "/contacts/phone/verify").want(http.StatusOK).says(say("portal.verify.silent.title", "+86 10 •••• 9988")).
			links(home + "/contacts/phone/change").silent(say("portal.verify.send-phone"))
		br.post(home+"/contacts/phone/verify", url.Values{"method": {"sms"}}).want(http.StatusUnprocessableEntity).
			says(say("portal.fault.no-sms-on-this-line"))
		b.set(id, "email-2", "mei@example.com")
		br.post(home+"/contacts/email-2/verify", url.Values{"method": {"sms"}}).want(http.StatusUnprocessableEntity).
			blames("method", say("portal.fault.method-not-for-slot"))
		if p := br.get(home + "/contacts/email/verify"); p.path != home+"/contacts/email/change" {
			b.Errorf("an empty slot leads to %s", p.path)
		}
		if p := br.post(home+"/contacts/email/verify", url.Values{"method": {"code"}}); p.path != home+"/contacts/email/change" {
			b.Errorf("an empty slot leads to %s", p.path)
		}
		br.get(home + "/contacts/fax/verify").want(http.StatusNotFound)
	})
}

func TestAMethodWithoutAProviderIsNotOffered(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		br, home := b.enter(auth.SessionInput{Account: "a"})
		o := b.options
		o.HasRoute = func(string) bool { return false }
		b.handler = serve(portal.New(o))
		r := newRequest(http.MethodGet, home+"/contacts/email/verify", nil)
		u, _ := url.Parse(b.url)
		for _, c := range br.client.Jar.Cookies(u) {
			r.AddCookie(c)
		}
		body := record(b.handler, r).Body.String()
		if !strings.Contains(body, i18n.Text(i18n.En, "portal.verify.no-route.title")) || strings.Contains(body, `name="method"`) {
			b.Error(body)
		}
	})
}

func TestThePageSaysHowTheContactStands(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", id+"@mailbox.example")
		br.get(home + "/contacts/email/verify").says(say("portal.verify.mailbox.text"))
		b.set(id, "email", "mei@example.com")
		b.verify(id, "email", verify.Code)
		for i, r := range []contact.Reason{contact.Expired, contact.Bounced, contact.Complaint, contact.Disputed} {
			name := fmt.Sprint("email-", i+2)
			b.set(id, name, "mei@example.com")
			b.verify(id, name, verify.Code)
			page := home + "/contacts/" + name + "/verify"
			br.get(page).says(map[bool]string{true: "已于2026年3月3日通过验证", false: "Verified on 3 March 2026"}[strings.HasSuffix(id, "CN")])
			b.mark(id, name, r)
			br.get(page).says(say("portal.verify.reason."+string(r)), say("portal.verify.send-email"))
		}
		for name, r := range map[string]contact.Reason{"phone": contact.Landline, "phone-2": contact.Disconnected} {
			b.set(id, name, "+8613800138000")
			b.verify(id, name, verify.SMS)
			b.mark(id, name, r)
			br.get(home + "/contacts/" + name + "/verify").says(say("portal.verify.reason." + string(r)))
		}
	})
}
