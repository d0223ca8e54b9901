package web_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/i18n"
	"countersign.dev/face/web"
)

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

// paged serves a mux whose own refusals are pages.
func paged(log io.Writer, observe func(string, int, time.Duration)) http.Handler {
	mux := web.NewMux()
	mux.HandleFunc("GET /fine/{account}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /missing", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "own words", http.StatusNotFound) })
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("mei@example.com") })
	return web.Wrap(mux, web.Options{
		Log: slog.New(slog.NewTextHandler(log, nil)), Observe: observe,
		Page: func(w http.ResponseWriter, _ *http.Request, p *web.Problem) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(p.Status)
			fmt.Fprintf(w, "<h1>%s</h1>%s", p.Title, strings.TrimPrefix(p.Type, web.TypeBase))
		},
	})
}

func TestABrowserIsRefusedWithAPage(t *testing.T) {
	big := strings.NewReader(strings.Repeat("x", 5<<20))
	for name, tt := range map[string]struct {
		r      *http.Request
		status int
		id     string
	}{
		"no route":          {httptest.NewRequest(http.MethodGet, "/nowhere", nil), 404, "not-found"},
		"another method":    {httptest.NewRequest(http.MethodDelete, "/fine/a", nil), 405, "method-not-allowed"},
		"a NUL in the path": {httptest.NewRequest(http.MethodGet, "/fine/a%00b", nil), 404, "not-found"},
		"a form of 5 MB":    {httptest.NewRequest(http.MethodPost, "/fine/a", big), 413, "body-too-large"},
		"a panic":           {httptest.NewRequest(http.MethodGet, "/panic", nil), 500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			observed := 0
			h := paged(&log, func(_ string, status int, _ time.Duration) { observed = status })
			tt.r.Header.Set("Accept", browser)
			tt.r.Header.Set("Accept-Language", "zh-CN")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tt.r)
			kind := web.Kind(tt.status)
			if tt.status == 405 {
				kind = web.Kind(404)
			}
			want := "<h1>" + i18n.Text(i18n.Zh, "fault.kind."+kind.String()) + "</h1>" + tt.id
			if w.Code != tt.status || w.Body.String() != want || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
			}
			if tt.status == 405 && w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
			if observed != tt.status || !strings.Contains(log.String(), fmt.Sprintf("status=%d", tt.status)) || strings.Contains(log.String(), "mei@") {
				t.Errorf("observed %d, logged %s", observed, &log)
			}
		})
	}
}

func TestWhoPrefersAPage(t *testing.T) {
	for _, tt := range []struct {
		path, accept string
		page         bool
	}{
		{"/nowhere", browser, true},
		{"/nowhere", "text/html", true},
		{"/nowhere", "application/json;q=0.5, text/html;q=0.9", true},
		{"/nowhere", "TEXT/HTML; charset=utf-8", true},
		{"/v1x", "text/html", true},
		{"/nowhere", "", false},
		{"/nowhere", "*/*", false},
		{"/nowhere", "application/json", false},
		{"/nowhere", "application/problem+json, text/html;q=0.9", false},
		{"/nowhere", "text/html;q=0", false},
		{"/nowhere", "text/html;q=high", false},
		{"/nowhere", "text/html;q=NaN", false},
		{"/nowhere", ";;;", false},
		{"/v1", browser, false},
		{"/v1/nowhere", browser, false},
	} {
		r, w := httptest.NewRequest(http.MethodGet, tt.path, nil), httptest.NewRecorder()
		if tt.accept != "" {
			r.Header.Set("Accept", tt.accept)
		}
		paged(io.Discard, nil).ServeHTTP(w, r)
		if got := strings.HasPrefix(w.Body.String(), "<h1>"); got != tt.page || w.Code != http.StatusNotFound {
			t.Errorf("%s, %q: %d %s", tt.path, tt.accept, w.Code, w.Body)
		}
	}
}

func TestAHandlersOwn404IsNoPageOfOurs(t *testing.T) {
	r, w := httptest.NewRequest(http.MethodGet, "/missing", nil), httptest.NewRecorder()
	r.Header.Set("Accept", browser)
	paged(io.Discard, nil).ServeHTTP(w, r)
	if w.Code != http.StatusNotFound || w.Body.String() != "own words\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
