package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// entries are the texts of the timeline.
func (p page) entries() (texts []string) {
	for _, n := range p.all(func(n *html.Node) bool {
		return n.Data == "li" && strings.Contains(attr(n.Parent, "class"), "timeline")
	}) {
		texts = append(texts, textOf(n))
	}
	return texts
}

func TestActivitySaysWhoDidWhat(t *testing.T) {
	onBoth(t, func(b *bundle) {
		for _, l := range i18n.Locales() {
			id := "seller-" + string(l)
			b.account(id, l)
			b.clock.Advance(time.Second)
			b.set(id, "phone-2", "+8613800138000")
			b.clock.Advance(time.Second)
			b.mark(id, "phone-2", contact.Disconnected)
			happened := func(e event.Event) {
				e.Account = id
				b.clock.Advance(time.Second)
				b.write(func(tx *store.Tx) error { event.Append(tx, e); return nil })
			}
			slot := map[string]any{"slot": "email"}
			happened(event.Event{Type: "contact.removed", Actor: "account:" + id + "/colleague", Body: slot})
			happened(event.Event{Type: "contact.deferred", Actor: "account:" + id, Body: slot})
			happened(event.Event{Type: "delivery.refused", Actor: event.System, Body: map[string]any{"channel": "email"}})
			happened(event.Event{Type: "contact.shared", Actor: "account:" + id, Body: map[string]any{"slot": "phone", "accounts": 3}})
			happened(event.Event{Type: "something.new", Actor: event.System})
			happened(event.Event{Type: "contact.needs_update", Actor: event.System, Body: map[string]any{"slot": "phone", "reason": "unheard"}})
			br, home := b.enter(auth.SessionInput{Account: id})
			p := br.get(home + "/activity").want(http.StatusOK)
			want := map[i18n.Locale][]string{
				i18n.En: {
					"These pages were opened · By you", "Registered mailbox: a message was refused · Automatically", "E-mail: put off · By you",
					"E-mail: removed · By someone else with access to your account", "Phone 2: the number is no longer in service · Automatically",
					"Phone 2: set · By Harbourline", "Your account was set up here · By Harbourline",
				},
				i18n.Zh: {
					"进入了紧急联系人页面 · 您本人操作", "注册邮箱：消息被拒收 · 系统自动操作", "邮箱：已暂缓 · 您本人操作", "邮箱：已移除 · 可使用您账户的其他人操作",
					"电话 2：号码已停机或为空号 · 系统自动操作", "电话 2：已设置 · Harbourline 操作", "您的账户已在此开通 · Harbourline 操作",
				},
			}[l]
			got := p.entries()
			if len(got) != len(want) {
				t.Errorf("%d entries, want %d: %q", len(got), len(want), got)
				continue
			}
			for i := range want {
				what, who, _ := strings.Cut(want[i], " · ")
				if !strings.HasPrefix(got[i], what) || !strings.HasSuffix(got[i], who) {
					t.Errorf("entry %d: %q, want %q", i, got[i], want[i])
				}
			}
		}
	})
}

func TestEveryWordingExists(t *testing.T) {
	for _, l := range i18n.Locales() {
		for _, id := range []string{
			"account.created", "account.changed", "account.mailbox_changed.set", "account.mailbox_changed.changed", "account.mailbox_changed.removed",
			"contact.set", "contact.change_requested", "contact.change_cancelled", "contact.change_refused", "contact.changed", "contact.removed",
			"contact.verified", "contact.needs_update.bounced", "contact.needs_update.complaint", "contact.needs_update.disconnected",
			"contact.needs_update.expired", "contact.needs_update.landline", "contact.needs_update.disputed", "contact.expiring", "contact.deferred",
			"contact.disputed", "contact.locked", "contact.unlocked", "contact.revealed", "delivery.accepted", "delivery.refused", "delivery.expired",
			"session.redeemed", "session.refused", "session.ended", "verification.started", "verification.exhausted",
		} {
			if !i18n.Has(l, "portal.event."+id) {
				t.Errorf("no words for %s in %s", id, l)
			}
		}
	}
}

func TestActivityIsPaged(t *testing.T) {
	onBoth(t, func(b *bundle) {
		b.account("a", i18n.En)
		for range 60 {
			b.clock.Advance(time.Second)
			b.write(func(tx *store.Tx) error {
				event.Append(tx, event.Event{Type: "contact.deferred", Account: "a", Actor: "account:a", Body: map[string]any{"slot": "email"}})
				event.Append(tx, event.Event{Type: "something.new", Account: "a", Actor: event.System})
				return nil
			})
		}
		br, home := b.enter(auth.SessionInput{Account: "a"})
		seen, at := 0, home+"/activity"
		for _, want := range []int{25, 25, 12} {
			p := br.get(at).want(http.StatusOK)
			if got := len(p.entries()); got != want {
				t.Errorf("%s: %d entries, want %d", at, got, want)
			}
			seen += len(p.entries())
			at = ""
			for _, n := range p.all(func(n *html.Node) bool { return n.Data == "a" && strings.Contains(attr(n, "href"), "?before=") }) {
				at = attr(n, "href")
			}
		}
		if at != "" {
			t.Error("more after the last page")
		}
		if seen != 62 { // with the account and the visit
			t.Errorf("%d entries in all", seen)
		}
		for _, odd := range []string{"x", "%00", strings.Repeat("u", 26), strings.Repeat("0", 26)} {
			br.get(home + "/activity?before=" + odd).want(http.StatusOK)
		}
	})
}
