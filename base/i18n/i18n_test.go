package i18n

import (
	"sync"
	"testing"
	"testing/fstest"
)

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		tags []string
		want Locale
	}{
		{nil, En},
		{[]string{""}, En},
		{[]string{"en"}, En},
		{[]string{"en-GB"}, En},
		{[]string{"zh"}, Zh},
		{[]string{"zh-CN"}, Zh},
		{[]string{"zh_CN"}, Zh},
		{[]string{"zh-SG"}, Zh},
		{[]string{"zh-Hans"}, Zh},
		{[]string{"zh-Hans-HK"}, Zh},
		{[]string{"ZH-cn"}, Zh},
		{[]string{"zh-TW"}, En},
		{[]string{"zh-Hant"}, En},
		{[]string{"fr", "zh-CN"}, Zh},
		{[]string{"", "zh-CN"}, Zh},
		{[]string{"en", "zh-CN"}, En},
		{[]string{"not a tag!", "zh"}, Zh},
		{[]string{"fr-CH, fr;q=0.9, zh;q=0.8, en;q=0.7, *;q=0.5"}, Zh},
		{[]string{"zh;q=0.1, en;q=0.9"}, En},
		{[]string{"zh;q=0"}, En},
		{[]string{"de, *"}, En},
		{[]string{"zh-TW, zh;q=0.8, en;q=0.6"}, Zh},
	} {
		if got := Match(tc.tags...); got != tc.want {
			t.Errorf("Match(%q) = %s, want %s", tc.tags, got, tc.want)
		}
	}
}

func TestText(t *testing.T) {
	if got := Text(En, "fault.body-too-large", 1048576); got != "The body is larger than the 1,048,576 bytes accepted here. Send less in one request." {
		t.Errorf("with a number: %q", got)
	}
	if got := Text(En, "no.such-text", 1); got != "no.such-text" {
		t.Errorf("a missing id reads %q", got)
	}
	if Text("fr", "fault.internal") != Text(En, "fault.internal") {
		t.Error("a locale that is not spoken does not read as English")
	}
	if Text(Zh, "fault.internal") == Text(En, "fault.internal") {
		t.Error("Chinese reads as English")
	}
	if !Has(Zh, "fault.internal") || Has(Zh, "no.such-text") {
		t.Error("Has is wrong")
	}
}

func TestPlurals(t *testing.T) {
	all, err := load(fstest.MapFS{
		"catalog/en/page.toml": {Data: []byte(`
"page.percent" = "100%% of it"
["page.left"]
arg = 2
"=0" = "%[1]s has no guess left."
one = "%[1]s has %[2]d guess left."
other = "%[1]s has %[2]d guesses left."
`)},
		"catalog/zh-CN/page.toml": {Data: []byte(`
"page.percent" = "100%%"
["page.left"]
arg = 2
other = "%[1]s还可以尝试 %[2]d 次。"
`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		l    Locale
		n    int
		want string
	}{
		{En, 0, "X has no guess left."},
		{En, 1, "X has 1 guess left."},
		{En, 2000, "X has 2,000 guesses left."},
		{Zh, 0, "X还可以尝试 0 次。"},
		{Zh, 1, "X还可以尝试 1 次。"},
	} {
		if got := all[tc.l].printer.Sprintf("page.left", "X", tc.n); got != tc.want {
			t.Errorf("%s %d: %q, want %q", tc.l, tc.n, got, tc.want)
		}
	}
	if got := all[En].entries["page.percent"]; !got.fixed || got.text != "100% of it" {
		t.Errorf("an escaped percent sign: %+v", got)
	}
}

func TestBrokenCataloguesAreRefused(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"not TOML":            {"catalog/en/a.toml": {Data: []byte(`"a.x" = `)}},
		"twice in one file":   {"catalog/en/a.toml": {Data: []byte("\"a.x\" = \"1\"\n\"a.x\" = \"2\"")}},
		"twice in two files":  {"catalog/en/a.toml": {Data: []byte(`"a.x" = "1"`)}, "catalog/en/a-b.toml": {Data: []byte(`"a.x" = "2"`)}},
		"of another area":     {"catalog/en/a.toml": {Data: []byte(`"b.x" = "1"`)}},
		"a number":            {"catalog/en/a.toml": {Data: []byte(`"a.x" = 1`)}},
		"a plural without n":  {"catalog/en/a.toml": {Data: []byte("[\"a.x\"]\nother = \"1\"")}},
		"without other":       {"catalog/en/a.toml": {Data: []byte("[\"a.x\"]\narg = 1\none = \"1\"")}},
		"an unknown form":     {"catalog/en/a.toml": {Data: []byte("[\"a.x\"]\narg = 1\nmany = \"1\"\nother = \"1\"")}},
		"an unquoted dot key": {"catalog/en/a.toml": {Data: []byte(`a.x = "1"`)}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(fsys); err == nil {
				t.Error("loaded")
			}
		})
	}
}

func TestTextIsSafeForConcurrentUse(t *testing.T) {
	want := Text(Zh, "fault.page-size", 100)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got := Text(Zh, "fault.page-size", 100); got != want {
					t.Errorf("Text = %q", got)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzMatch(f *testing.F) {
	f.Add("")
	f.Add("fr-CH, fr;q=0.9, zh;q=0.8, *;q=0.5")
	f.Add("zh-Hans-u-co-pinyin")
	f.Fuzz(func(t *testing.T, header string) {
		l := Match(header)
		if Match(string(l)) != l {
			t.Errorf("Match(%q) = %q", header, l)
		}
	})
}

func BenchmarkTextFixed(b *testing.B) {
	for b.Loop() {
		Text(Zh, "fault.internal")
	}
}

func BenchmarkTextWithArgument(b *testing.B) {
	for b.Loop() {
		Text(Zh, "fault.page-size", 100)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := load(files); err != nil {
			b.Fatal(err)
		}
	}
}
