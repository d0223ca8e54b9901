package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"countersign.dev/base/i18n"
)

func rendered(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page that shows no times does not speak of a zone, and one with nothing to say at its foot has none.
func TestTheFootNamesTheZoneOfTheTimes(t *testing.T) {
	shanghai := time.FixedZone("Asia/Shanghai", 8*60*60)
	for name, tc := range map[string]struct {
		p    Page
		says string
	}{
		"no zone":     {Page{}, ""},
		"a zone":      {Page{Zone: shanghai}, "Times are shown for Asia/Shanghai."},
		"with a name": {Page{Zone: shanghai, Place: "UTC+08:00 · Beijing"}, "Times are shown for UTC+08:00 · Beijing."},
	} {
		tc.p.Locale, tc.p.Brand, tc.p.Assets = i18n.En, &Brand{}, newTestAssets(t, BrandOptions{})
		got := rendered(t, Layout(tc.p))
		if tc.says != "" && !strings.Contains(got, tc.says) || tc.says == "" && strings.Contains(got, "<footer") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTheTimelineSaysWhoBesideWhen(t *testing.T) {
	p := Page{Locale: i18n.En, Now: guideNow}
	got := rendered(t, Timeline(p, []Entry{{At: guideNow, Title: "Verified", By: "By <you>"}, {At: guideNow, Title: "Sent"}}))
	if strings.Count(got, "By &lt;you&gt;") != 1 || strings.Count(got, `class="also"`) != 1 {
		t.Error(got)
	}
}

// The script takes other bytes for a change.
func TestAPageIsTheSameBytesEachTime(t *testing.T) {
	b, err := NewBrand(BrandOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g := guide{guidePage(b, NewAssets(b), i18n.En)}
	first := rendered(t, styleguide(g))
	for range 20 {
		if rendered(t, styleguide(g)) != first {
			t.Fatal("it differs")
		}
	}
}
