package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/verify"
)

func TestThePageSaysWhereTheMessageIs(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		b.set(id, "email-2", "refusing@example.com")
		b.set(id, "email-3", "delaying@example.com")
		b.set(id, "phone", "+8613800138000")
		at := func(name string, m verify.Method) string { return home + "/verifications/" + b.begin(id, name, m) }
		br.awaits(at("email", verify.Link), say("portal.delivery.accepted-email", "17:30"))
		br.awaits(at("phone", verify.SMS), say("portal.delivery.accepted-phone", "17:30"))
		br.awaits(at("email-2", verify.Code), say("portal.delivery.refused-email")).
			says("550 <b>no such user</b> here", say("portal.delivery.refused-text-email")).links(home + "/contacts/email-2/change")
		delayed := br.awaits(at("email-3", verify.Code), say("portal.delivery.delayed-email")).says("451 try again later")
		if !strings.Contains(delayed.text, "17:3") {
			b.Errorf("it does not say when it is tried again: %s", delayed.text)
		}
	})
}

func TestANewMessageCanBeAskedForAfterAPause(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		sent := len(b.box.Messages())
		b.set(id, "email", "mei@example.com")
		p := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email")).
			says(say("portal.resend.in", say("ui.left.seconds", 30)))
		early := br.press(p, say("portal.resend.button-code")).want(http.StatusTooManyRequests).says(say("portal.wait.too-soon", say("ui.in.seconds", 30)))
		first := b.code()
		b.clock.Advance(pause)
		br.get(p.path).says(say("portal.resend.now"))
		again := br.press(early, say("portal.resend.button-code")).want(http.StatusOK)
		if again.path != p.path {
			b.Errorf("it leads to %s", again.path)
		}
		b.code()
		b.clock.Advance(2 * time.Minute)
		br.press(early, say("portal.resend.button-code")).want(http.StatusOK) // a double click, or another tab
		b.messages(sent + 2)
		br.press(again, say("portal.code.submit"), "code", first).want(http.StatusOK).says(say("portal.done.title", say("portal.task.email")))
		br.press(again, say("portal.resend.button-code")).want(http.StatusOK).says(say("portal.done.title", say("portal.task.email")))
	})
}

func TestAVerificationOfAnotherAccountIsNotFound(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.account("b", i18n.En)
		b.set("b", "email", "mei@example.com")
		path := "/verifications/" + b.begin("b", "email", verify.Code)
		code := b.code()
		stranger, home := b.enter(auth.SessionInput{Account: "a"})
		stranger.get(home + path).want(http.StatusNotFound).silent("m•••@example.com")
		for range 6 {
			stranger.post(home+path+"/check", url.Values{"code": {wrong(code)}}).want(http.StatusNotFound)
			stranger.post(home+path+"/resend", nil).want(http.StatusNotFound)
		}
		stranger.get(home + "/verifications/none").want(http.StatusNotFound)
		owner, home := b.enter(auth.SessionInput{Account: "b"})
		owner.post(home+path+"/check", url.Values{"code": {code}}).want(http.StatusOK).says("is verified")
	})
}

func TestWhoMayOnlyVerifyIsNotOfferedAChange(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		br, home := b.enter(auth.SessionInput{Account: "a", May: []auth.Right{auth.View, auth.Verify}})
		p := br.get(home + "/contacts/email/verify").want(http.StatusOK).lacks(home + "/contacts/email/change")
		br.press(p, "Send the e-mail").lacks(home + "/contacts/email/change")
		br.press(br.get(p.path), "Verify", "code", b.code()).says("is verified").wantMain(home)
		br.get(home + "/contacts/email/change").want(http.StatusForbidden)
	})
}

func TestAContactThatChangedMeanwhileIsVerifiedAnew(t *testing.T) {
	inEachLanguage(t, func(b *bundle, say say, id string, br *browser, home string) {
		b.set(id, "email", "mei@example.com")
		p := br.press(br.get(home+"/contacts/email/verify"), say("portal.verify.send-email"))
		code := b.code()
		b.clock.Advance(pause)
		b.set(id, "email", "li@example.com")
		br.get(p.path).want(http.StatusOK).says(say("portal.ended.contact_changed.title")).wantMain(home + "/contacts/email/verify")
		br.press(p, say("portal.code.submit"), "code", code).want(http.StatusConflict).says(say("portal.ended.contact_changed.title"))
		fresh := br.get(home + "/contacts/email/verify").want(http.StatusOK).says("l•••@example.com")
		br.press(fresh, say("portal.verify.send-email")).want(http.StatusOK).says(say("portal.code.lead-code", "l•••@example.com"))
		b.code()
	})
}
