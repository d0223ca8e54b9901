package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
)

// chosen is the value that a select or a group of radios with this name holds.
func (p page) chosen(name string) string {
	for _, n := range p.all(func(n *html.Node) bool {
		return n.Data == "option" && has(n, "selected") && within(n, name) || n.Data == "input" && attr(n, "name") == name && has(n, "checked")
	}) {
		return attr(n, "value")
	}
	return "nothing"
}

func within(n *html.Node, name string) bool {
	for p := range n.Ancestors() {
		if p.Data == "select" {
			return attr(p, "name") == name
		}
	}
	return false
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func (b *bundle) stored(id string) (acc account.Account) {
	b.Helper()
	b.must(b.db.Read(b.ctx, func(tx *store.Tx) (err error) {
		acc, err = b.accounts.Get(b.ctx, tx, id)
		return err
	}))
	return acc
}

func TestSettingsAreTheHoldersOwn(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		p := br.get(home+"/settings").says("3 March 2026, 17:30", "UTC+08:00 · Beijing, Shanghai, Shenzhen", "UTC+05:30 · New Delhi, Mumbai, Kolkata")
		if p.chosen("locale") != "" || p.chosen("time_zone") != "" {
			t.Errorf("chosen before: %q, %q", p.chosen("locale"), p.chosen("time_zone"))
		}
		p = br.post(home+"/settings", url.Values{"locale": {"zh-CN"}, "time_zone": {"Europe/Berlin"}}).want(http.StatusOK)
		p.says(i18n.Text(i18n.Zh, "portal.settings.saved"), "2026年3月3日 10:30", "UTC+01:00 · 柏林、汉堡、慕尼黑")
		if p.path != home+"/settings?saved=1" || p.chosen("locale") != "zh-CN" || p.chosen("time_zone") != "Europe/Berlin" {
			t.Errorf("%s: %q, %q", p.path, p.chosen("locale"), p.chosen("time_zone"))
		}
		b.account("a", i18n.En) // the platform puts it again
		if acc := b.stored("a"); acc.Locale != "zh-CN" || acc.TimeZone != "Europe/Berlin" {
			t.Errorf("the platform won: %s, %s", acc.Locale, acc.TimeZone)
		}
		br.post(home+"/settings", url.Values{"locale": {""}, "time_zone": {""}}).says(i18n.Text(i18n.En, "portal.settings.saved"))
		if acc := b.stored("a"); acc.ChosenLocale != "" || acc.ChosenTimeZone != "" || acc.TimeZone != "Asia/Shanghai" {
			t.Errorf("not given back: %+v", acc)
		}
	})
}

func TestAZoneThatIsNotOfferedStays(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		b.write(func(tx *store.Tx) error {
			zone := "America/Port_of_Spain"
			return b.accounts.Choose(b.ctx, tx, "a", account.Choice{TimeZone: &zone}, "account:a")
		})
		br, home := b.enter(auth.SessionInput{Account: "a"})
		if p := br.get(home + "/settings").says("UTC-04:00 · America/Port of Spain"); p.chosen("time_zone") != "America/Port_of_Spain" {
			t.Errorf("chosen %q", p.chosen("time_zone"))
		}
	})
}

func TestSettingsThatCannotBe(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			b.account(id, l)
			br, home := b.enter(auth.SessionInput{Account: id})
			for field, values := range map[string][]string{
				"locale":    {"fr", "!", strings.Repeat("x", 100)},
				"time_zone": {"Mars/Olympus", "Local", "../../etc/passwd"},
			} {
				for _, value := range values {
					form := url.Values{"locale": {"en"}, "time_zone": {"Asia/Tokyo"}}
					form.Set(field, value)
					p := br.post(home+"/settings", form).want(http.StatusUnprocessableEntity)
					p.links("#" + field)
					if acc := b.stored(id); acc.ChosenLocale != "" || acc.ChosenTimeZone != "" {
						t.Errorf("%s=%s changed something", field, value)
					}
				}
			}
		}
	})
}

func TestTheSwitchKeepsThePage(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		br, home := b.enter(auth.SessionInput{Account: "a"})
		action := func(p page) string {
			for _, n := range p.all(func(n *html.Node) bool { return n.Data == "form" && strings.Contains(attr(n, "action"), "/language") }) {
				return attr(n, "action")
			}
			t.Fatal("no switch")
			return ""
		}
		p := br.post(action(br.get(home+"/activity")), url.Values{"locale": {"zh-CN"}}).want(http.StatusOK)
		if p.path != home+"/activity" {
			t.Errorf("the switch leads to %s", p.path)
		}
		p.says(i18n.Text(i18n.Zh, "portal.activity.title"))
		if acc := b.stored("a"); acc.ChosenLocale != "zh-CN" || acc.ChosenTimeZone != "" {
			t.Errorf("chosen %q, %q", acc.ChosenLocale, acc.ChosenTimeZone)
		}
		failed := br.post(home+"/settings", url.Values{"locale": {"fr"}}).want(http.StatusUnprocessableEntity)
		if p := br.post(action(failed), url.Values{"locale": {"en"}}); p.path != home+"/settings" {
			t.Errorf("after an error the switch leads to %s", p.path)
		}
		for _, elsewhere := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\tevil", "javascript:alert(1)", ""} {
			if p := br.post(home+"/language?back="+url.QueryEscape(elsewhere), url.Values{"locale": {"en"}}).want(http.StatusOK); p.path != home {
				t.Errorf("%q leads to %s", elsewhere, p.path)
			}
		}
		br.post(home+"/language", url.Values{"locale": {"fr"}}).want(http.StatusUnprocessableEntity)
	})
}
