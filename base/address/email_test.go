package address

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestEmailsThatPeopleType(t *testing.T) {
	for in, want := range map[string]struct{ text, display, masked, key string }{
		"m.li@example.com":             {"m.li@example.com", "m.li@example.com", "m•••@example.com", "m.li@example.com"},
		"  m.li@example.com\t":         {"m.li@example.com", "m.li@example.com", "m•••@example.com", "m.li@example.com"},
		"\u3000m.li@example.com\u00a0": {"m.li@example.com", "m.li@example.com", "m•••@example.com", "m.li@example.com"},
		"ｍ.ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ":             {"m.li@example.com", "m.li@example.com", "m•••@example.com", "m.li@example.com"},
		"m.li@example。com":             {"m.li@example.com", "m.li@example.com", "m•••@example.com", "m.li@example.com"},
		"M.Li+Shop@Example.COM":        {"M.Li+Shop@example.com", "M.Li+Shop@example.com", "M•••@example.com", "m.li+shop@example.com"},
		`"m.li"@example.com`:           {"m.li@example.com", "m.li@example.com", "m•••@example.com", "m.li@example.com"},
		"x@a.example.com":              {"x@a.example.com", "x@a.example.com", "x•••@a.example.com", "x@a.example.com"},
		"#!$%&'*+-/=?^_`{}|~@x.eu":     {"#!$%&'*+-/=?^_`{}|~@x.eu", "#!$%&'*+-/=?^_`{}|~@x.eu", "#•••@x.eu", "#!$%&'*+-/=?^_`{}|~@x.eu"},
		"info@bücher.example":          {"info@xn--bcher-kva.example", "info@bücher.example", "i•••@bücher.example", "info@xn--bcher-kva.example"},
		"info@XN--BCHER-KVA.example": {
			"info@xn--bcher-kva.example", "info@bücher.example", "i•••@bücher.example",
			"info@xn--bcher-kva.example",
		},
		"李@例子.测试":                {"李@xn--fsqu00a.xn--0zwm56d", "李@例子.测试", "李•••@例子.测试", "李@xn--fsqu00a.xn--0zwm56d"},
		"Jose\u0301@example.com": {"José@example.com", "José@example.com", "J•••@example.com", "josé@example.com"},
		"STRASSE@straße.example": {"STRASSE@xn--strae-oqa.example", "STRASSE@straße.example", "S•••@straße.example", "strasse@xn--strae-oqa.example"},
		"Σίσυφος@example.com":    {"Σίσυφος@example.com", "Σίσυφος@example.com", "Σ•••@example.com", "σίσυφοσ@example.com"},
		"user@مثال.إختبار":       {"user@xn--mgbh0fb.xn--kgbechtv", "user@مثال.إختبار", "u•••@مثال.إختبار", "user@xn--mgbh0fb.xn--kgbechtv"},
		strings.Repeat("a", 64) + "@x.eu": {
			strings.Repeat("a", 64) + "@x.eu", strings.Repeat("a", 64) + "@x.eu", "a•••@x.eu",
			strings.Repeat("a", 64) + "@x.eu",
		},
	} {
		e, err := ParseEmail(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if e.String() != want.text || e.Display() != want.display || e.Masked() != want.masked || e.Key() != want.key {
			t.Errorf("%q: %s, %s, %s, %s; want %v", in, e.String(), e.Display(), e.Masked(), e.Key(), want)
		}
	}
}

var refusedEmails = []refusal{
	{"", "email-missing"},
	{" \u3000", "email-missing"},
	{"m.li\xff@example.com", "email-not-utf8"},
	{"m.li", "email-no-at"},
	{"m.li@example.com, wang@example.com", "email-several-at"},
	{"m.li@@example.com", "email-several-at"},
	{"Li Mei <m.li@example.com>", "email-display-name"},
	{"＜m.li@example.com＞", "email-display-name"},
	{"m.li@example.com\r\nBcc: all@example.com", "email-control-character"},
	{"m.li@example.com\r\n", "email-control-character"},
	{"\nm.li@example.com", "email-control-character"},
	{"m\x00li@example.com", "email-control-character"},
	{"m.li@exam\x7fple.com", "email-control-character"},
	{"m.li\u0085@example.com", "email-control-character"},
	{"m.li\u2028@example.com", "email-control-character"},
	{"m.li\u202e@example.com", "email-invisible-character"},
	{"m.li\u2066@example.com", "email-invisible-character"},
	{"m\u200bli@example.com", "email-invisible-character"},
	{"m.li@exa\u200bmple.com", "email-invisible-character"},
	{"m.li@exa\u00admple.com", "email-invisible-character"},
	{"m\ufe0fli@example.com", "email-invisible-character"},
	{"m\u3164li@example.com", "email-invisible-character"},
	{"m\u2800li@example.com", "email-invisible-character"},
	{"\ufeffm.li@example.com", "email-invisible-character"},
	{"x@xn--rlb8k3b79a.example", "email-domain-character"}, // a joiner where none may be
	{"x@xn--ngba5hb2804a.example", "email-invisible-character"},
	{"m li@example.com", "email-space"},
	{"m.li@exam ple.com", "email-space"},
	{"m.li\u3000a@example.com", "email-space"},
	{"m,li@example.com", "email-character"},
	{"mailto:m.li@example.com", "email-character"},
	{"m.li(shop)@example.com", "email-character"},
	{`m"li@example.com`, "email-character"},
	{`m\li@example.com`, "email-character"},
	{"m\u037eli@example.com", "email-character"}, // is a semicolon in NFC
	{"m\ue000li@example.com", "email-character"},
	{".m@example.com", "email-dots"},
	{"m.@example.com", "email-dots"},
	{"m..li@example.com", "email-dots"},
	{`"m li"@example.com`, "email-quoted"},
	{`"m\"li"@example.com`, "email-quoted"},
	{`"m@li"@example.com`, "email-quoted"},
	{`""@example.com`, "email-quoted"},
	{"@example.com", "email-no-local-part"},
	{"m.li@", "email-no-domain"},
	{strings.Repeat("a", 65) + "@example.com", "email-local-too-long"},
	{strings.Repeat("a", 320) + "@example.com", "email-local-too-long"},
	{strings.Repeat("李", 22) + "@example.com", "email-local-too-long"}, // 66 octets
	{"m@" + strings.Repeat("abc.", 63) + "example", "email-domain-too-long"},
	{"m.li@" + strings.Repeat("abcd.", 50) + "com", "email-too-long"}, // a domain of 253 octets, 258 in all
	{strings.Repeat("a", 64) + "@" + strings.Repeat("abcd.", 38) + "co", "email-too-long"},
	{strings.Repeat("m", 1025), "email-too-long"},
	{"m.li@exam_ple.com", "email-domain-character"},
	{"m.li@-example.com", "email-domain-character"},
	{"m.li@example-.com", "email-domain-character"},
	{"m.li@ab--cd.com", "email-domain-character"},
	{"m.li@xn--a.com", "email-domain-character"},
	{"m.li@exämple/.com", "email-domain-character"},
	{"m.li@אa.example", "email-domain-character"}, // breaks the bidi rule
	{"m.li@.example.com", "email-domain-label"},
	{"m.li@example..com", "email-domain-label"},
	{"m.li@example.com.", "email-domain-label"},
	{"m.li@" + strings.Repeat("a", 64) + ".com", "email-domain-label"},
	{"m.li@" + strings.Repeat("ü", 60) + ".com", "email-domain-label"},
	{"m.li@example", "email-single-label"},
	{"m.li@127.0.0.1", "email-ip-address"},
	{"m.li@[127.0.0.1]", "email-ip-address"},
	{"m.li@[IPv6:::1]", "email-ip-address"},
}

func TestEmailsThatBreakARule(t *testing.T) {
	for _, c := range refusedEmails {
		e, err := ParseEmail(c.in)
		c.check(t, err, "value")
		if !e.IsZero() {
			t.Errorf("%q: a value beside the error", c.in)
		}
	}
}

func TestKeyJoinsTheSpellingsOfAMailbox(t *testing.T) {
	same := []string{"Jose\u0301@Bücher.example", "JOSÉ@xn--bcher-kva.example", "ＪＯＳＥ\u0301＠bücher．example", `"josé"@BÜCHER.example`}
	want := mustEmail(t, same[0]).Key()
	for _, s := range same {
		if got := mustEmail(t, s).Key(); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	for _, s := range []string{"jose@bücher.example", "jo.sé@bücher.example", "josé+a@bücher.example", "josé@bucher.example"} {
		if mustEmail(t, s).Key() == want {
			t.Errorf("%q has the same key", s)
		}
	}
}

func TestNoEmail(t *testing.T) {
	var e Email
	if !e.IsZero() || e.String()+e.Display()+e.Masked()+e.Key()+e.Domain() != "" {
		t.Errorf("%v", e)
	}
}

func mustEmail(t *testing.T, s string) Email {
	t.Helper()
	e, err := ParseEmail(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return e
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"m.li@example.com", `"a.b"@x.eu`, "李@例子.测试", "ｍ＠ｘ．ｅｕ", "x@xn--bcher-kva.example", "", "a@b\r\n"} {
		f.Add(s)
	}
	for _, c := range refusedEmails {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEmail(s)
		if err != nil {
			return
		}
		for _, text := range []string{e.String(), e.Display(), e.Masked(), e.Key()} {
			if strings.ContainsFunc(text, isControl) || strings.ContainsFunc(text, isInvisible) || strings.ContainsFunc(text, isSpace) ||
				strings.ContainsAny(text, "<>,;:\"") || strings.Count(text, "@") != 1 || !norm.NFC.IsNormalString(text) {
				t.Errorf("%q: unsafe %q", s, text)
			}
		}
		if again := mustEmail(t, e.String()); again != e {
			t.Errorf("%q: %q reads as %q", s, e, again)
		}
		if again := mustEmail(t, e.Display()); again != e {
			t.Errorf("%q: %q reads as %q", s, e.Display(), again)
		}
		local, _, _ := strings.Cut(e.String(), "@")
		if runes := []rune(local); !strings.HasPrefix(e.Masked(), string(runes[0])+"•••@") {
			t.Errorf("%q: masked %q", s, e.Masked())
		}
	})
}

func BenchmarkParseEmail(b *testing.B) {
	for name, s := range map[string]string{"ascii": "m.li@example.com", "idn": "李@例子.测试"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseEmail(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
