package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/face/web"
)

// serve answers one request with a mux of some routes, and returns the log too.
func serve(t *testing.T, r *http.Request) (*http.Response, string, string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fine/{account}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	mux.HandleFunc("POST /read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			web.Fail(w, r, fault.New(fault.TooLarge, "body-too-large", web.MaxBody))
		}
	})
	mux.HandleFunc("GET /missing", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "own words", http.StatusNotFound) })
	mux.HandleFunc("GET /defect", func(w http.ResponseWriter, r *http.Request) { web.Fail(w, r, errors.New("disk on fire")) })
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("mei@example.com") })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		panic("after the status")
	})
	var log bytes.Buffer
	w := httptest.NewRecorder()
	web.Wrap(mux, web.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body), log.String()
}

func problem(t *testing.T, res *http.Response, body string) map[string]any {
	t.Helper()
	if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if doc["status"] != float64(res.StatusCode) {
		t.Errorf("the document says %v, the answer %d", doc["status"], res.StatusCode)
	}
	return doc
}

func TestWhatNoHandlerAnswers(t *testing.T) {
	big := strings.Repeat("x", 2<<20)
	unsized := httptest.NewRequest(http.MethodPost, "/read", io.NopCloser(strings.NewReader(big)))
	unsized.ContentLength = -1
	tests := map[string]struct {
		r      *http.Request
		status int
		id     string
	}{
		"no route":             {httptest.NewRequest(http.MethodGet, "/nowhere", nil), 404, "not-found"},
		"another method":       {httptest.NewRequest(http.MethodDelete, "/fine/a", nil), 405, "method-not-allowed"},
		"a NUL in the path":    {httptest.NewRequest(http.MethodGet, "/fine/a%00b", nil), 404, "not-found"},
		"no UTF-8 in the path": {httptest.NewRequest(http.MethodGet, "/fine/a%ff", nil), 404, "not-found"},
		"2 MB":                 {httptest.NewRequest(http.MethodPost, "/read", strings.NewReader(big)), 413, "body-too-large"},
		"2 MB without a size":  {unsized, 413, "body-too-large"},
		"a defect":             {httptest.NewRequest(http.MethodGet, "/defect", nil), 500, "internal"},
		"a panic":              {httptest.NewRequest(http.MethodGet, "/panic", nil), 500, "internal"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, body, _ := serve(t, tt.r)
			doc := problem(t, res, body)
			if res.StatusCode != tt.status || doc["type"] != web.TypeBase+tt.id {
				t.Errorf("%d %v, want %d %s", res.StatusCode, doc["type"], tt.status, tt.id)
			}
			if doc["request_id"] == "" || doc["request_id"] != res.Header.Get("X-Request-Id") {
				t.Errorf("request id %v in the document, %q in the header", doc["request_id"], res.Header.Get("X-Request-Id"))
			}
		})
	}
}

func TestAHandlersOwn404Stays(t *testing.T) {
	res, body, _ := serve(t, httptest.NewRequest(http.MethodGet, "/missing", nil))
	if res.StatusCode != 404 || body != "own words\n" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

func TestAPanicAfterTheStatusLeavesIt(t *testing.T) {
	res, body, log := serve(t, httptest.NewRequest(http.MethodGet, "/late", nil))
	if res.StatusCode != http.StatusAccepted || body != "" || !strings.Contains(log, "a request panicked") {
		t.Errorf("%d %q %s", res.StatusCode, body, log)
	}
}

func TestEveryAnswerIsStrict(t *testing.T) {
	for _, path := range []string{"/fine/a", "/nowhere", "/panic"} {
		res, _, _ := serve(t, httptest.NewRequest(http.MethodGet, path, nil))
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy":         "no-referrer",
			"Cache-Control":           "no-store",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestTheLogHoldsNothingPersonal(t *testing.T) {
	tests := []struct{ target, want string }{
		{"/fine/seller-4711?code=482915", `route="GET /fine/{account}" status=200`},
		{"/fine/seller-4711", "account=seller-4711"},
		{"/fine/mei@example.com", `status=200`},
		{"/mei@example.com", `route="" status=404`},
		{"/panic", "panic=string"},
		{"/defect", "disk on fire"},
	}
	for _, tt := range tests {
		_, _, log := serve(t, httptest.NewRequest(http.MethodGet, tt.target, nil))
		if !strings.Contains(log, tt.want) {
			t.Errorf("%s: no %s in %s", tt.target, tt.want, log)
		}
		if strings.Contains(log, "mei@") || strings.Contains(log, "482915") {
			t.Errorf("%s: %s", tt.target, log)
		}
	}
	_, _, log := serve(t, httptest.NewRequest("MEI", "/fine/a", nil))
	if !strings.Contains(log, "method=other") {
		t.Error(log)
	}
}

func TestObserveIsToldTheRoute(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /a/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	var route string
	var status int
	h := web.Wrap(mux, web.Options{Observe: func(r string, s int, _ time.Duration) { route, status = r, s }})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/a/1", nil))
	if route != "GET /a/{id}" || status != http.StatusTeapot {
		t.Errorf("%q %d", route, status)
	}
}

func BenchmarkWrap(b *testing.B) {
	h := web.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		web.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
