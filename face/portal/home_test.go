package portal_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// mains are the addresses that the page's main buttons lead to.
func (p page) mains() (urls []string) {
	for _, n := range p.all(func(n *html.Node) bool { return n.Data == "a" && strings.Contains(attr(n, "class"), "button-primary") }) {
		urls = append(urls, attr(n, "href"))
	}
	return urls
}

func (p page) wantMain(url string) page {
	p.Helper()
	if got := p.mains(); len(got) != 1 || got[0] != url {
		p.Errorf("the main action leads to %q, want %s", got, url)
	}
	return p
}

// mark has a contact need an update.
func (b *bundle) mark(id, name string, r contact.Reason) {
	b.Helper()
	b.write(func(tx *store.Tx) error {
		_, err := b.contacts.Downgrade(b.ctx, tx, id, slot(name), r, event.System)
		return err
	})
}

func TestHomeSaysHowEachContactStands(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			say := func(text string, args ...any) string { return i18n.Text(l, text, args...) }
			b.account(id, l)
			br, home := b.enter(auth.SessionInput{Account: id})
			task := func(slot, name string) string { return home + "/contacts/" + slot + "/" + name }
			at := func() page { return br.get(home).want(http.StatusOK) }

			at().wantMain(task("email", "change")).links(task("phone", "change"), task("email", "defer")).
				says(say("portal.card.chip.missing"), say("portal.card.wait.missing"), say("portal.card.add-phone")).
				lacks(task("email", "remove"), task("email-2", "change"))

			b.set(id, "email", "mei@example.com")
			at().wantMain(task("email", "verify")).links(task("email", "change"), task("email", "remove"), task("email-2", "change")).
				says("m•••@example.com", say("portal.card.chip.unverified"), say("portal.card.wait.unverified"), say("portal.card.verify"))

			ver := b.begin(id, "email", verify.Code)
			b.clock.Advance(2 * time.Minute)
			at().wantMain(home+"/verifications/"+ver).says(say("portal.card.enter.code"), map[i18n.Locale]string{
				i18n.En: "A code was requested by e-mail 2 minutes ago", i18n.Zh: "2 分钟前申请了验证码邮件",
			}[l])

			b.must(b.verifier.Check(b.ctx, ver, b.code(), "account:"+id, verify.Around{}))
			day := map[i18n.Locale]string{i18n.En: "3 March ", i18n.Zh: "年3月3日"}[l]
			at().wantMain(task("phone", "change")).says(say("portal.card.chip.verified"), day).silent(say("portal.card.wait.unverified")).lacks(task("email", "defer"), task("email", "verify"))

			b.set(id, "email", "other@example.com")
			at().wantMain(task("email", "verify")).says("m•••@example.com", say("portal.card.change", "o•••@example.com"),
				say("portal.card.wait.change"))
			b.set(id, "email", "mei@example.com")

			b.mark(id, "email", contact.Bounced)
			at().wantMain(task("email", "change")).links(task("email", "verify")).says(say("portal.card.chip.bounced"), say("portal.card.reason.bounced"), say("portal.card.wait.bounced"))
		}
	})
}

func TestHomeRespectsWhatIsPutOff(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		br, home := b.enter(auth.SessionInput{Account: "a"})
		b.write(func(tx *store.Tx) error {
			_, err := b.contacts.Defer(b.ctx, tx, "a", slot("email"), b.clock.Now().Add(13*24*time.Hour), "travelling", "account:a")
			return err
		})
		p := br.get(home).wantMain(home + "/contacts/phone/change")
		p.says("You put this off until 16 March 2026", i18n.Text(i18n.En, "portal.card.defer-longer")).
			links(home+"/contacts/email/verify", home+"/contacts/email/defer").silent("travelling")
		b.write(func(tx *store.Tx) error {
			_, err := b.contacts.Defer(b.ctx, tx, "a", slot("email"), b.clock.Now().Add(14*24*time.Hour), "travelling", "account:a")
			return err
		})
		br.get(home).says("You put this off until 17 March 2026").lacks(home + "/contacts/email/defer")
	})
}

func TestHomeOffersWhatCanBeDone(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "a@mailbox.example") // the account's mailbox
		b.set("a", "phone", "+861065529988")     // a landline
		b.set("a", "phone-3", "+8613800138000")
		br, home := b.enter(auth.SessionInput{Account: "a"})
		br.get(home).says(contact.HintText(i18n.En, contact.HintSameAsMailbox), contact.HintText(i18n.En, contact.HintNoSMS), "Phone 3").
			links(home+"/contacts/phone/change", home+"/contacts/phone-3/verify", home+"/contacts/phone-2/change", home+"/contacts/email-2/change").
			lacks(home+"/contacts/phone/verify", home+"/contacts/phone-4/change")
	})
}

func TestHomeSaysWhatWasDone(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		for _, what := range []string{"removed", "deferred", "withdrawn"} {
			br.get(home + "?done=" + what).says(i18n.Text(i18n.En, "portal.home.done-"+what))
		}
		br.get(home + "?done=Send+money").want(http.StatusOK).silent("Send money")
	})
}

func TestWhatHomeCosts(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		for name, value := range map[string]string{
			"email": "mei@example.com", "email-2": "li@example.com", "email-3": "wang@example.com",
			"phone": "+8613800138000", "phone-2": "+8613800138001", "phone-3": "+8613800138002",
		} {
			b.set("a", name, value)
		}
		b.begin("a", "email-2", verify.Code)
		b.begin("a", "phone", verify.SMS)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		br.get(home)
		ctx, count := store.WithCount(b.ctx)
		r := newRequest(http.MethodGet, home, nil).WithContext(ctx)
		addCookies(br, r)
		if w := record(b.handler, r); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		if n := count.Statements.Load(); n != 5 {
			t.Errorf("%d statements", n)
		}
		if n := count.Commits.Load(); n > 0 {
			t.Errorf("%d commits", n)
		}
	})
}

func TestHomeShowsWhatHappenedLately(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.set("a", "email", "mei@example.com")
		b.verify("a", "email", verify.Code)
		b.clock.Advance(time.Second)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		p := br.get(home)
		p.says("E-mail: verified", "These pages were opened", "By you").links(home + "/activity")
		items := p.all(func(n *html.Node) bool { return n.Data == "li" && strings.Contains(n.Parent.Data, "ol") })
		if len(items) != 5 {
			t.Errorf("%d things that happened", len(items))
		}
		if i := slices.Index(p.mains(), ""); i >= 0 {
			t.Error("a main action without an address")
		}
	})
}
