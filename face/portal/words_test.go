package portal

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/contact"
	"countersign.dev/face/web/ui"
	"countersign.dev/verify"
)

func wantText(t *testing.T, ids ...string) {
	t.Helper()
	for _, l := range i18n.Locales() {
		for _, id := range ids {
			if !i18n.Has(l, id) {
				t.Errorf("no text %s in %s", id, l)
			}
		}
	}
}

func TestEverySituationHasItsWords(t *testing.T) {
	reasons := []contact.Reason{
		contact.Bounced, contact.Complaint, contact.Disconnected, contact.Expired, contact.Landline, contact.Disputed,
	}
	for _, r := range reasons {
		s := standing{contact: &contact.Contact{State: contact.NeedsUpdate, Reason: r}}
		what := s.situation()
		wantText(t, "portal.card.chip."+what, "portal.card.reason."+what, "portal.card.wait."+what, "portal.event.contact.needs_update."+what)
	}
	for _, what := range []string{missing, unverified} {
		wantText(t, "portal.card.chip."+what, "portal.card.wait."+what)
	}
	wantText(t, "portal.card.wait."+change)
	for _, delivery := range []string{"queued", "accepted", "refused", "expired"} {
		for _, m := range []verify.Method{verify.Code, verify.Link, verify.SMS} {
			sent := standing{pending: &verify.Verification{Method: m, Delivery: delivery}}.sent()
			wantText(t, "portal.card.sent."+sent, "portal.card.enter."+sent)
		}
	}
}

func TestEveryKindOfErrorHasATitle(t *testing.T) {
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		wantText(t, "portal.fail.kind."+k.String())
	}
}

func TestEveryFieldThatIsShownAgainHasALabel(t *testing.T) {
	for _, name := range typedFields {
		wantText(t, "portal.typed."+name)
		if secret(name) {
			t.Errorf("%s would be shown", name)
		}
	}
}

func TestEveryZoneHasAName(t *testing.T) {
	for _, name := range zoneNames {
		if _, err := time.LoadLocation(name); err != nil {
			t.Error(err)
		}
		for _, l := range i18n.Locales() {
			if text := zoneText(ui.Page{Locale: l}, name); strings.Contains(text, "portal.") || name != "UTC" && strings.Contains(text, name) {
				t.Errorf("%s in %s: %s", name, l, text)
			}
		}
	}
}

func TestZonesGoFromWestToEast(t *testing.T) {
	for _, now := range []time.Time{time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC)} {
		all := offeredZones(now, "Asia/Kathmandu")
		if len(all) != len(zoneNames) {
			t.Errorf("%d zones, want %d", len(all), len(zoneNames))
		}
		if !slices.IsSortedFunc(all, func(a, b string) int {
			_, east := now.In(zone(a)).Zone()
			_, west := now.In(zone(b)).Zone()
			return east - west
		}) {
			t.Errorf("not sorted: %v", all)
		}
	}
	for name, want := range map[string]string{"Asia/Kathmandu": "UTC+05:45", "America/St_Johns": "UTC-03:30", "UTC": "UTC+00:00", "Nowhere": "UTC+00:00"} {
		if got := offsetText(time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC).In(zone(name))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func FuzzOwnPath(f *testing.F) {
	for _, s := range []string{"/s/x", "/", "", "//a", "/\\a", "/\ta", "\\/a", "/a?b=//c#d", "https://a/", "/%2f/a", "/a/../..//b", "/:80"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://portal.example/s/1")
	f.Fuzz(func(t *testing.T, s string) {
		if !ownPath(s) {
			return
		}
		// A browser takes backslashes for slashes and leaves out tabs and line breaks (WHATWG URL, basic URL parser).
		seen := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "").Replace(s)
		to, err := base.Parse(seen)
		if err != nil || to.Scheme != base.Scheme || to.Host != base.Host || to.User != nil {
			t.Errorf("%q leads to %v, %v", s, to, err)
		}
	})
}
