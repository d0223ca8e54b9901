package ui

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func newTestAssets(t *testing.T, o BrandOptions) *Assets {
	t.Helper()
	b, err := NewBrand(o)
	if err != nil {
		t.Fatal(err)
	}
	return NewAssets(b)
}

// get asks for a file as a browser would, with header lines like "Accept-Encoding: gzip".
func get(a *Assets, method, url string, header ...string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", a.Handler())
	r := httptest.NewRequest(method, url, nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func TestAssetsAreServed(t *testing.T) {
	a := newTestAssets(t, BrandOptions{Logo: []byte(square)})
	for name, kind := range map[string]string{
		"ui.css": "text/css; charset=utf-8", "brand.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8",
		"icon.svg": "image/svg+xml", "logo.svg": "image/svg+xml",
	} {
		url := a.URL(name)
		base, ext, _ := strings.Cut(name, ".")
		if !regexp.MustCompile(`^/assets/` + base + `\.[0-9a-f]{16}\.` + ext + `$`).MatchString(url) {
			t.Errorf("%s is at %q", name, url)
		}
		plain, packed := get(a, "GET", url), get(a, "GET", url, "Accept-Encoding: br, gzip")
		for _, w := range []*httptest.ResponseRecorder{plain, packed} {
			h := w.Header()
			if w.Code != http.StatusOK || h.Get("Content-Type") != kind || h.Get("Vary") != "Accept-Encoding" || h.Get("X-Content-Type-Options") != "nosniff" ||
				h.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("%s: %d %v", name, w.Code, h)
			}
		}
		if got := unpack(t, packed); got != plain.Body.String() || plain.Body.Len() == 0 {
			t.Errorf("%s: packed and plain differ", name)
		}
		if plain.Header().Get("ETag") == packed.Header().Get("ETag") && packed.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: two contents with one ETag", name)
		}
		if w := get(a, "HEAD", url); w.Header().Get("Content-Length") != plain.Header().Get("Content-Length") {
			t.Errorf("%s: HEAD has another length", name)
		}
		if w := get(a, "GET", url, "If-None-Match: "+plain.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: asked again: %d", name, w.Code)
		}
	}
}

func unpack(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.String()
	}
	z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestAssetsThatAreNotThere(t *testing.T) {
	a := newTestAssets(t, BrandOptions{})
	if url := a.URL("logo.svg"); url != "" {
		t.Errorf("a logo without a logo: %s", url)
	}
	for _, url := range []string{"/assets/ui.css", "/assets/ui.0000000000000000.css", "/assets/..%2fui.css", "/assets/"} {
		if w := get(a, "GET", url); w.Code != http.StatusNotFound || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", url, w.Code, w.Header())
		}
	}
}

func TestAnotherAccentIsAnotherAddress(t *testing.T) {
	a, b := newTestAssets(t, BrandOptions{Accent: "#0b7a75"}), newTestAssets(t, BrandOptions{Accent: "#7a0b75"})
	if a.URL("brand.css") == b.URL("brand.css") || a.URL("ui.css") != b.URL("ui.css") {
		t.Error("the name does not follow the content")
	}
}

// A page that is opened for the first time loads no more than this.
func TestStylesAndScriptAreSmall(t *testing.T) {
	a := newTestAssets(t, BrandOptions{})
	total := 0
	for _, name := range []string{"ui.css", "brand.css", "app.js"} {
		n := get(a, "GET", a.URL(name), "Accept-Encoding: gzip").Body.Len()
		t.Logf("%s: %d bytes", name, n)
		total += n
	}
	if total >= 60_000 {
		t.Errorf("together %d bytes over the wire", total)
	}
	if lines := bytes.Count(newTestAssets(t, BrandOptions{}).script(), []byte("\n")); lines > 300 {
		t.Errorf("the script has %d lines", lines)
	}
}

func (a *Assets) script() []byte {
	return a.served[strings.TrimPrefix(a.URL("app.js"), "/assets/")].plain
}

func TestTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false, "*": true, "*;q=0": false,
		"gzip;q=0, *": false, "br": false, "x-gzip": false, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip;q=much": false,
	} {
		if got := takesGzip(accept); got != want {
			t.Errorf("takesGzip(%q) = %v", accept, got)
		}
	}
}

func TestSetHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	SetHeaders(w)
	h := w.Header()
	if p := h.Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || strings.Contains(p, "*") || !strings.Contains(p, "frame-ancestors 'none'") ||
		!strings.Contains(p, "form-action 'self'") || !strings.Contains(p, "base-uri 'none'") {
		t.Errorf("the policy is %s", p)
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "strict-origin" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("headers: %v", h)
	}
}
