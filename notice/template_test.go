package notice

import (
	"errors"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/i18n"
	"countersign.dev/channel/telephony"
)

var filled = map[string]string{
	"platform": "Harbourline <&>", "host": "portal.example.com", "origin": "https://portal.example.com",
	"help": "help@harbourline.example", "until": "17:30 on 24 November 2026 (UTC+08)", "minutes": "30",
	"reference": "CS-7K3M-9QXT-2V", "account": "Lotus Trading <&>", "account_short": "Lotus Trading",
	"account_id": "seller-1", "accent": "#0b7a75",
	"slot": "emergency e-mail address", "before": "m•••@before.example", "after": "a•••@after.example",
	"changed_at": "09:30 on 21 November 2026 (UTC+08)", "window": "09:30 on 24 November 2026 (UTC+08)",
	"how": "somebody", "topic": "the topic", "days": "30",
	"code": "314159", "token": "01k9z3m7q4x2v8w5t6r1y0p3n7abcdefghjkmnpqrstvwxyz0123", "dispute_code": "27182818",
}

var secrets = map[string]string{
	VerifyEmail: "code", VerifyPhone: "code", VerifyEmailLink: "token",
	ContactChanged + "/" + oldOne: "dispute_code", ContactRemoved + "/" + oldOne: "dispute_code", CriticalSent: "dispute_code",
}

// text is one text of a built-in template, filled.
type text struct {
	template, reader, form string
	locale                 i18n.Locale
	Content
}

// secret is the hole that a text must have, or none.
func (x text) secret() string {
	if x.reader == "" {
		return secrets[x.template]
	}
	return secrets[x.template+"/"+x.reader]
}

func (x text) all() string { return x.Subject + "\n" + x.Text + "\n" + x.HTML }

func compiled(t *testing.T) []*version {
	t.Helper()
	all, err := builtin(true)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// texts calls fn with every text of every built-in template.
func texts(t *testing.T, fn func(t *testing.T, x text)) {
	t.Helper()
	for _, v := range compiled(t) {
		for _, l := range locales {
			for name := range v.Forms[string(l)] {
				t.Run(v.Name+"/"+string(l)+"/"+name, func(t *testing.T) {
					c, err := v.render(string(l), name, filled)
					if err != nil {
						t.Fatal(err)
					}
					x := text{template: v.Name, form: name, locale: l, Content: c}
					for _, reader := range []string{oldOne, newOne, theMailbox, aContact} {
						if form, ok := strings.CutPrefix(name, reader+"-"); ok {
							x.reader, x.form = reader, form
						}
					}
					fn(t, x)
				})
			}
		}
	}
}

func (x text) mail() bool { return strings.HasPrefix(x.form, FormEmail) }

func TestBuiltInTextsKeepTheRules(t *testing.T) {
	texts(t, func(t *testing.T, x text) {
		last := strings.Split(strings.TrimSpace(x.Text), "\n")
		switch {
		case strings.ContainsAny(x.all(), "{}"):
			t.Error("a hole was left unfilled")
		case strings.Contains(x.all(), "notice."):
			t.Error("a text is missing from the catalogue")
		case x.mail() && !strings.Contains(x.Text, filled["reference"]):
			t.Error("the reference is missing")
		case (x.form == FormSMSRef || x.form == FormSMSPlain) && !strings.Contains(x.Text, filled["reference"]):
			t.Error("the reference is missing")
		case (x.template != VerifyPhone || x.form == FormSMSPlain) && !x.mail() && strings.Contains(x.Text, "@"):
			t.Error("it has the line of the browser's")
		case x.template == VerifyPhone && x.form != FormSMSPlain && last[len(last)-1] != "@portal.example.com #314159":
			t.Errorf("the last line is %q", last[len(last)-1])
		case x.mail() && !strings.Contains(x.Text, filled["help"]):
			t.Error("the address for help is missing")
		}
	})
}

// A code, a token or a dispute code stands in the texts that are for it, and in no subject.
func TestSecretsStandWhereTheyBelong(t *testing.T) {
	texts(t, func(t *testing.T, x text) {
		for _, hole := range []string{"code", "token", "dispute_code"} {
			switch {
			case strings.Contains(x.Subject, filled[hole]):
				t.Errorf("the %s is in the subject", hole)
			case strings.Contains(x.Text, filled[hole]) != (x.secret() == hole):
				t.Errorf("%s in the text: %v", hole, x.secret() != hole)
			case x.mail() && strings.Contains(x.HTML, filled[hole]) != (x.secret() == hole):
				t.Errorf("%s in the HTML: %v", hole, x.secret() != hole)
			}
		}
		if x.secret() == "dispute_code" && !strings.Contains(x.Text, filled["reference"]) {
			t.Error("a dispute code without the reference that it goes with")
		}
	})
}

// One mail has a link, to a page of ours; the page for disputes is named, to be typed. Nothing is loaded from outside.
func TestLinksLeadNowhereElse(t *testing.T) {
	address := regexp.MustCompile(`(?i)(?:https?:|www\.)[^\s"'<>，。]*`)
	texts(t, func(t *testing.T, x text) {
		want := map[string]bool{}
		switch {
		case x.template == VerifyEmailLink:
			want["https://portal.example.com/link/"+filled["token"]] = true
			if strings.Count(x.HTML, "<a ") != 1 || strings.Contains(x.HTML, "src=\"http") {
				t.Error("the HTML has not just the one link")
			}
		case x.secret() == "dispute_code":
			want["https://portal.example.com/dispute"] = true
			fallthrough
		default:
			if strings.Contains(x.HTML, "<a") || strings.Contains(x.HTML, "href") {
				t.Error("it has a link")
			}
		}
		for _, found := range address.FindAllString(x.all(), -1) {
			if !want[found] {
				t.Errorf("it names %q", found)
			}
			want[found] = true
		}
		for _, claim := range []string{"there is no link", "也没有需要点击的链接"} {
			if len(want) > 0 && strings.Contains(x.all(), claim) {
				t.Errorf("it names an address and says %q", claim)
			}
		}
	})
}

// Whoever is no longer part of the account must not learn whose it is, or what stands there now; and a new mailbox, which
// may be a stranger's, must not get words that others chose.
func TestSomeAreNotToldWhoOrWhat(t *testing.T) {
	texts(t, func(t *testing.T, x text) {
		holes := []string{"account", "account_short", "before", "after"}
		switch {
		case x.reader == oldOne || x.template == CriticalSent:
			holes = append(holes, "account_id")
		case x.template != MailboxChanged || x.reader != newOne:
			return
		}
		for _, hole := range holes {
			if strings.Contains(html.UnescapeString(x.all()), filled[hole]) {
				t.Errorf("it tells the %s", hole)
			}
		}
	})
}

func TestAMailThatLeavesAPointUnsaidDoesNotCompile(t *testing.T) {
	for _, tc := range append(verifyTemplates(), changeTemplates()...) {
		for reader, m := range tc.mails {
			for p := asked; p <= otherwise; p++ {
				less := m
				less.parts = slices.DeleteFunc(slices.Clone(m.parts), func(x part) bool { return x.says == p })
				if len(less.parts) == len(m.parts) {
					t.Errorf("%s for %q: no part says point %d", tc.name, reader, p)
				}
				_, err := template{name: tc.name, mails: map[string]mail{reader: less}}.compile(false)
				if !errors.Is(err, silent[p]) {
					t.Errorf("%s for %q compiles without point %d: %v", tc.name, reader, p, err)
				}
			}
		}
	}
}

func TestMailsShowTheBrand(t *testing.T) {
	texts(t, func(t *testing.T, x text) {
		if !x.mail() {
			return
		}
		logo := strings.Contains(x.HTML, `<img src="cid:`+logoID+`" alt="Harbourline &lt;&amp;&gt;"`)
		if logo != (x.form == FormEmailLogo) || !strings.Contains(x.HTML, filled["accent"]) {
			t.Errorf("the logo is there: %v", logo)
		}
	})
}

func TestHTMLSaysWhatTheTextSaysAndEscapesValues(t *testing.T) {
	tag := regexp.MustCompile(`<[^>]*>`)
	texts(t, func(t *testing.T, x text) {
		if !x.mail() {
			return
		}
		if strings.Contains(x.HTML, "<&>") {
			t.Error("a value stands unescaped in the HTML")
		}
		seen := html.UnescapeString(tag.ReplaceAllString(x.HTML, "\n"))
		for line := range strings.Lines(x.Text) {
			if line = strings.TrimSpace(line); line != "" && line != "--" && !strings.Contains(seen, line) {
				t.Errorf("the HTML lacks %q", line)
			}
		}
	})
}

// A sender pays for each segment, and a platform may have a long name and a long address.
func TestShortMessagesAreShort(t *testing.T) {
	long := maps.Clone(filled)
	long["platform"], long["origin"] = "Northern Lights Cross-Border Marketplace", "https://contacts.northernlights.example"
	long["account_short"] = clip("The Very Long Lotus Flower Trading Company")
	chinese := maps.Clone(long)
	chinese["platform"], chinese["account_short"] = "北极光跨境电商交易市场", clip("深圳市莲花贸易进出口有限公司")
	texts(t, func(t *testing.T, x text) {
		if x.mail() {
			return
		}
		most, values := 2, long
		if x.locale == i18n.Zh {
			values = chinese
		}
		if x.template == VerifyPhone && x.form == FormSMS && x.locale == i18n.En {
			most, values = 1, filled
		}
		v := compiled(t)[slices.IndexFunc(compiled(t), func(v *version) bool { return v.Name == x.template })]
		c, err := v.render(string(x.locale), formFor(x.reader, x.form), values)
		if n := telephony.Segments(c.Text); err != nil || n > most {
			t.Errorf("%d segments, want %d at most (%v): %s", n, most, err, c.Text)
		}
	})
}

func TestAVersionReadsBackAndFillsTheSame(t *testing.T) {
	for _, v := range compiled(t) {
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

// What is shown later must be what was sent, so a value that is missing is not passed over.
func TestAHoleWithoutAValueIsNotFilled(t *testing.T) {
	for _, v := range compiled(t) {
		less := maps.Clone(filled)
		delete(less, "platform")
		for name := range v.Forms["en"] {
			if _, err := v.render("en", name, less); err == nil {
				t.Errorf("%s/%s was filled without the platform", v.Name, name)
			}
		}
	}
}
