package auth_test

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

// listed are the return addresses of these tests.
var listed = []string{
	"https://www.example.com/shop", "https://seller.example.com:8443", "https://xn--fiqs8s.example.com/%E5%BA%97/", "http://127.0.0.1:9000/back/",
	"http://[::1]:9000/", "http://localhost/back",
}

func returnURLs(t testing.TB, list ...string) auth.ReturnURLs {
	t.Helper()
	u, err := auth.ParseReturnURLs(list)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestWhereThePortalMayLeadBackTo(t *testing.T) {
	u := returnURLs(t, listed...)
	for _, raw := range []string{
		"https://www.example.com/shop",
		"https://www.example.com/shop/",
		"https://www.example.com/shop/settings;tab=2/a.b..c?next=https://evil.example/..//%2f%5c#top",
		"https://www.example.com/shop?x=1",
		"https://www.example.com:443/shop",
		"HTTPS://WWW.Example.COM/shop",
		"https://seller.example.com:8443",
		"https://seller.example.com:8443/anything/%E5%BA%97%20x",
		"https://seller.example.com:8443?x",
		"https://xn--fiqs8s.example.com/%E5%BA%97/x",
		"http://127.0.0.1:9000/back",
		"http://127.0.0.1:9000/back/x",
		"http://[::1]:9000/x",
		"http://localhost:80/back",
	} {
		if err := u.Allow(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestWhereThePortalMayNotLeadTo(t *testing.T) {
	u := returnURLs(t, listed...)
	for name, raw := range map[string]string{
		"empty":                        "",
		"another host":                 "https://evil.example/shop",
		"a host below":                 "https://a.www.example.com/shop",
		"a host above":                 "https://example.com/shop",
		"a host that begins alike":     "https://www.example.com.evil.example/shop",
		"a host that ends alike":       "https://evilwww.example.com/shop",
		"another port":                 "https://www.example.com:8443/shop",
		"a port in front of another":   "https://www.example.com:443:8443/shop",
		"a port with zeros":            "https://www.example.com:0443/shop",
		"an empty port":                "https://www.example.com:/shop",
		"another scheme":               "http://www.example.com/shop",
		"a script":                     "javascript:alert(1)//www.example.com/shop",
		"a script with two slashes":    "javascript://www.example.com/shop%0aalert(1)",
		"data":                         "data:text/html,https://www.example.com/shop",
		"a place without an origin":    "/shop",
		"a place without a scheme":     "//www.example.com/shop",
		"no slashes":                   "https:www.example.com/shop",
		"one slash":                    "https:/www.example.com/shop",
		"three slashes":                "https:///www.example.com/shop",
		"a user":                       "https://www.example.com@evil.example/shop",
		"a user of ours":               "https://mei@www.example.com/shop",
		"a user with a password":       "https://www.example.com:443@evil.example/shop",
		"an empty user":                "https://@www.example.com/shop",
		"a user behind a slash":        "https://www.example.com%2f@evil.example/shop",
		"a backslash before a user":    `https://www.example.com\@evil.example/shop`,
		"a backslash for a slash":      `https:\\www.example.com\shop`,
		"a backslash after the host":   `https://evil.example\www.example.com/shop`,
		"a backslash in the path":      `https://www.example.com/shop\..\admin`,
		"a backslash in the query":     `https://www.example.com/shop?a=\`,
		"a tab in the host":            "https://www.exa\tmple.com/shop",
		"a line break in the scheme":   "https\n://www.example.com/shop",
		"a line break at the end":      "https://www.example.com/shop\r\nSet-Cookie: a=b",
		"a space in front":             " https://www.example.com/shop",
		"a NUL":                        "https://www.example.com/shop\x00",
		"broken UTF-8":                 "https://www.example.com/shop/\xff",
		"an ideographic full stop":     "https://www。example。com/shop",
		"a full-width full stop":       "https://www．example．com/shop",
		"a full-width solidus":         "https://www.example.com／evil.example/shop",
		"a full-width letter":          "https://ｗww.example.com/shop",
		"letters that look alike":      "https://www.exаmple.com/shop", // the second a is Cyrillic
		"Unicode for what is listed":   "https://中国.example.com/%E5%BA%97/",
		"a trailing dot":               "https://www.example.com./shop",
		"a leading dot":                "https://.www.example.com/shop",
		"an escaped host":              "https://www%2eexample.com/shop",
		"an escape in the host":        "https://www.example.com%00.evil.example/shop",
		"a number for an address":      "http://2130706433:9000/back",
		"a short address":              "http://127.1:9000/back",
		"an octal address":             "http://0177.0.0.1:9000/back",
		"a long form of ::1":           "http://[0:0:0:0:0:0:0:1]:9000/",
		"an address with a zone":       "http://[::1%25lo]:9000/",
		"an address within an address": "http://[::ffff:127.0.0.1]:9000/back",
		"no bracket":                   "http://[::1:9000/",
		"a path beside":                "https://www.example.com/shopping",
		"a path above":                 "https://www.example.com/",
		"no path":                      "https://www.example.com",
		"another case of the path":     "https://www.example.com/Shop",
		"dots":                         "https://www.example.com/shop/../admin",
		"dots at the end":              "https://www.example.com/shop/..",
		"one dot":                      "https://www.example.com/shop/./x",
		"escaped dots":                 "https://www.example.com/shop/%2e%2e/admin",
		"half-escaped dots":            "https://www.example.com/shop/.%2E/admin",
		"dots escaped twice":           "https://www.example.com/shop/%252e%252e/admin",
		"dots with a parameter":        "https://www.example.com/shop/..;x/admin",
		"an escaped slash":             "https://www.example.com/shop/..%2fadmin",
		"an escaped backslash":         "https://www.example.com/shop/..%5Cadmin",
		"an escaped line break":        "https://www.example.com/shop/%0d%0aSet-Cookie:a",
		"an escaped NUL":               "https://www.example.com/shop/%00",
		"an empty segment":             "https://www.example.com/shop//evil.example",
		"an empty segment in front":    "https://www.example.com//shop",
		"a broken escape":              "https://www.example.com/shop/%zz",
		"an escape cut short":          "https://www.example.com/shop/%2",
		"angle brackets":               "https://www.example.com/shop/<script>",
		"quotes":                       `https://www.example.com/shop/"onclick="x`,
		"a wild card":                  "https://*.example.com/shop",
		"too long":                     "https://www.example.com/shop/" + strings.Repeat("a", 2048),
	} {
		err := u.Allow(raw)
		if f := fault.From(err); f == nil || f.Kind != fault.Invalid || f.ID != "return-url-not-listed" || f.Field != "return_url" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEmptyListAllowsNothing(t *testing.T) {
	for _, u := range []auth.ReturnURLs{{}, returnURLs(t)} {
		for _, raw := range append([]string{"", "/", "https:///"}, listed...) {
			if err := u.Allow(raw); !fault.Is(err, "return-url-not-listed") {
				t.Errorf("%q: %v", raw, err)
			}
		}
	}
}

func TestWhatCannotBeListed(t *testing.T) {
	for _, entry := range []string{
		"", "www.example.com", "//www.example.com", "https://", "https:///shop", "ftp://www.example.com", "javascript:alert(1)",
		"http://www.example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "http://127.0.0.1.example.com/", "http://127.1/",
		"https://mei@www.example.com/", "https://www.example.com/?", "https://www.example.com/?x=1", "https://www.example.com/#", "https://www.example.com/#top",
		`https://www.example.com\shop`, "https://www.example.com/a/../b", "https://www.example.com//", "https://www.example.com/%2e%2e",
		"https://中国.example.com/", "https://*.example.com/", "https://www.example.com./", "https://www.example.com:/", "https://0x7f.1/", " https://www.example.com/",
		"https://www.example.com/ ",
	} {
		u, err := auth.ParseReturnURLs([]string{"https://www.example.com/", entry})
		f := fault.From(err)
		if f == nil || f.ID != "return-url-form" || f.Field != "return_urls" {
			t.Errorf("%q: %v", entry, err)
			continue
		}
		for _, l := range i18n.Locales() {
			if text := fault.Text(l, err); !strings.Contains(text, "2") || strings.Contains(text, "%!") || len(entry) > len("https://") && strings.Contains(text, entry) {
				t.Errorf("%q: %s", entry, text)
			}
		}
		if u.Allow("https://www.example.com/") == nil {
			t.Errorf("%q: half a list", entry)
		}
	}
}

// Whatever is allowed leads a browser, and a server that reads the path once more, to a listed place.
func FuzzReturnURL(f *testing.F) {
	for _, seed := range slices.Concat(listed, []string{
		"https://www.example.com@evil.example/shop", `https://www.example.com\@evil.example/`, "https:evil.example", "https:///evil.example/shop",
		"https://www.example.com/shop/%2e%2e/x", "https://www.example.com/shop/..;/x", "http://[::1]:9000@evil.example/", "https://www.example.com:443#@evil.example",
		"https://www.example.com/shop?@evil.example", "\thttps://www.example.com/shop", "https://www.example.com/shop//evil.example/..",
	}) {
		f.Add(seed)
	}
	u := returnURLs(f, listed...)
	f.Fuzz(func(t *testing.T, raw string) {
		if u.Allow(raw) != nil {
			return
		}
		origin, where := asBrowser(raw)
		decoded, err := url.PathUnescape(where)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if !slices.ContainsFunc(listed, func(entry string) bool {
			home, prefix := asBrowser(entry)
			plain, _ := url.PathUnescape(prefix)
			return origin == home && under(where, prefix) && under(path.Clean(decoded), path.Clean(plain))
		}) {
			t.Errorf("%q leads to %s %s", raw, origin, where)
		}
	})
}

func under(where, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return where == prefix || strings.HasPrefix(where, prefix+"/")
}

// asBrowser reads a URL as the URL standard (url.spec.whatwg.org) has browsers do it, as far as it concerns what is made of ASCII. The
// origin of what is no web address is its scheme.
func asBrowser(raw string) (origin, where string) {
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	raw = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(raw)
	scheme, rest, _ := strings.Cut(raw, ":")
	scheme = strings.ToLower(scheme)
	if scheme != "https" && scheme != "http" {
		return scheme + ":", ""
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	rest = strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	host, where, _ := strings.Cut(rest, "/")
	host = strings.ToLower(host[strings.LastIndex(host, "@")+1:])
	if plain, err := url.PathUnescape(host); err == nil {
		host = plain
	}
	host = strings.TrimSuffix(strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme]), ":")
	return scheme + "://" + host, "/" + strings.Join(walked(where), "/")
}

// walked follows the dots in a path.
func walked(where string) (segments []string) {
	parts := strings.Split(where, "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch strings.ReplaceAll(strings.ToLower(part), "%2e", ".") {
		case "..":
			segments = segments[:max(0, len(segments)-1)]
		case ".":
		default:
			segments = append(segments, part)
			continue
		}
		if last {
			segments = append(segments, "")
		}
	}
	return segments
}
