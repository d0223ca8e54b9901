package notice

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/i18n"
	"countersign.dev/channel/telephony"
)

var filled = map[string]string{
	"platform": "Harbourline <&>", "host": "portal.example.com", "until": "17:30 on 24 November 2026 (UTC+08)",
	"minutes": "30", "code": "314159", "reference": "CS-7K3M-9QXT-2V",
}

// forms calls fn with every built-in text, filled.
func forms(t *testing.T, fn func(t *testing.T, name string, l i18n.Locale, form string, c Content)) {
	for _, v := range builtin() {
		for _, l := range locales {
			for name := range v.Forms[string(l)] {
				t.Run(v.Name+"/"+string(l)+"/"+name, func(t *testing.T) {
					c, err := v.render(string(l), name, filled)
					if err != nil {
						t.Fatal(err)
					}
					fn(t, v.Name, l, name, c)
				})
			}
		}
	}
}

func TestBuiltInTextsKeepTheRules(t *testing.T) {
	link := regexp.MustCompile(`(?i)https?:|www\.|<a\b|href`)
	forms(t, func(t *testing.T, _ string, _ i18n.Locale, form string, c Content) {
		all := c.Subject + c.Text + c.HTML
		switch {
		case strings.ContainsAny(all, "{}"):
			t.Error("a hole was left unfilled")
		case strings.Contains(all, "notice."):
			t.Error("a text is missing from the catalogue")
		case link.MatchString(all):
			t.Error("it has a link")
		case strings.Contains(c.Subject, filled["code"]):
			t.Error("the code is in the subject")
		case !strings.Contains(c.Text, filled["code"]):
			t.Error("the code is not in the text")
		case form != FormSMS && !strings.Contains(c.Text, filled["reference"]):
			t.Error("the reference is missing")
		case form == FormSMSPlain && strings.Contains(c.Text, "@"):
			t.Error("the plain form has the browser's line")
		}
	})
}

func TestHTMLSaysWhatTheTextSaysAndEscapesValues(t *testing.T) {
	tag := regexp.MustCompile(`<[^>]*>`)
	forms(t, func(t *testing.T, _ string, _ i18n.Locale, form string, c Content) {
		if form != FormEmail {
			return
		}
		if strings.Contains(c.HTML, "<&>") {
			t.Error("a value stands unescaped in the HTML")
		}
		seen := html.UnescapeString(tag.ReplaceAllString(c.HTML, "\n"))
		for line := range strings.Lines(c.Text) {
			if line = strings.TrimSpace(line); line != "" && line != "--" && !strings.Contains(seen, line) {
				t.Errorf("the HTML lacks %q", line)
			}
		}
	})
}

func TestShortMessagesFitASegment(t *testing.T) {
	forms(t, func(t *testing.T, _ string, l i18n.Locale, form string, c Content) {
		if form == FormSMS && l == i18n.En && telephony.Segments(c.Text) > 1 {
			t.Errorf("%d characters take %d segments", len(c.Text), telephony.Segments(c.Text))
		}
	})
}

func TestAVersionReadsBackAndFillsTheSame(t *testing.T) {
	for _, v := range builtin() {
		compiled, err := v.name()
		if err != nil {
			t.Fatal(err)
		}
		again, err := readVersion(v.id, compiled)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range locales {
			for form := range v.Forms[string(l)] {
				before, _ := v.render(string(l), form, filled)
				after, err := again.render(string(l), form, filled)
				if err != nil || before != after {
					t.Errorf("%s in %s fills differently after it was stored (%v)", form, l, err)
				}
			}
		}
	}
}

func TestARuleThatIsNotKnownIsRefused(t *testing.T) {
	if _, err := readVersion("x", `{"name":"x","rule":2,"forms":{}}`); err == nil {
		t.Error("a version with an unknown rule was read")
	}
}

func TestCompileKeepsTheTextAndItsHoles(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "{platform}": filled["platform"], "a{minutes}b{minutes}c": "a30b30c", "no hole }": "no hole }",
	} {
		if got := compile(text).fill(filled, func(s string) string { return s }); got != want {
			t.Errorf("%q fills as %q, want %q", text, got, want)
		}
	}
}

func TestTimesAreWrittenInTheAccountsZone(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	for _, tc := range []struct {
		locale i18n.Locale
		zone   string
		want   string
	}{
		{i18n.En, "Asia/Shanghai", "17:30 on 24 November 2026 (UTC+08)"},
		{i18n.Zh, "Asia/Shanghai", "2026年11月24日 17:30（UTC+08）"},
		{i18n.En, "Asia/Kolkata", "15:00 on 24 November 2026 (UTC+05:30)"},
		{i18n.En, "Nowhere/Land", "09:30 on 24 November 2026 (UTC+00)"},
	} {
		if got := moment(tc.locale, at, tc.zone); got != tc.want {
			t.Errorf("in %s: %q, want %q", tc.zone, got, tc.want)
		}
	}
}
