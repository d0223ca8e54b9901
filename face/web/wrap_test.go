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

// answer is what came back, and what was logged meanwhile.
type answer struct {
	status    int
	header    http.Header
	body, log string
}

// serve answers one request with a mux of some routes.
func serve(t *testing.T, r *http.Request) answer {
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
	return answer{w.Code, w.Header(), w.Body.String(), log.String()}
}

// problem reads the answer as the document that it must be.
func (a answer) problem(t *testing.T) map[string]any {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	if doc["status"] != float64(a.status) {
		t.Errorf("the document says %v, the answer %d", doc["status"], a.status)
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
			a := serve(t, tt.r)
			doc := a.problem(t)
			if a.status != tt.status || doc["type"] != web.TypeBase+tt.id {
				t.Errorf("%d %v, want %d %s", a.status, doc["type"], tt.status, tt.id)
			}
			if doc["request_id"] == "" || doc["request_id"] != a.header.Get("X-Request-Id") {
				t.Errorf("request id %v in the document, %q in the header", doc["request_id"], a.header.Get("X-Request-Id"))
			}
		})
	}
}

// The program's mux has those of the faces on it; what those refuse is refused no differently.
func TestAMuxWithinAMux(t *testing.T) {
	inner, outer := http.NewServeMux(), http.NewServeMux()
	inner.HandleFunc("GET /a/{account}", func(http.ResponseWriter, *http.Request) {})
	outer.Handle("/", inner)
	var log bytes.Buffer
	h := web.Wrap(outer, web.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodPut: 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/a/seller-4711", nil))
		if w.Code != want || want == 405 && (w.Header().Get("Allow") != "GET, HEAD" || w.Header().Get("Content-Type") != "application/problem+json") {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	if !strings.Contains(log.String(), `route="GET /a/{account}" status=200`) || !strings.Contains(log.String(), "account=seller-4711") {
		t.Error(log.String())
	}
}

func TestAHandlersOwn404Stays(t *testing.T) {
	a := serve(t, httptest.NewRequest(http.MethodGet, "/missing", nil))
	if a.status != http.StatusNotFound || a.body != "own words\n" {
		t.Errorf("%d %q", a.status, a.body)
	}
}

func TestAPanicAfterTheStatusLeavesIt(t *testing.T) {
	a := serve(t, httptest.NewRequest(http.MethodGet, "/late", nil))
	if a.status != http.StatusAccepted || a.body != "" || !strings.Contains(a.log, "a request panicked") {
		t.Errorf("%d %q %s", a.status, a.body, a.log)
	}
}

func TestEveryAnswerIsStrict(t *testing.T) {
	for _, path := range []string{"/fine/a", "/nowhere", "/panic"} {
		a := serve(t, httptest.NewRequest(http.MethodGet, path, nil))
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy":         "no-referrer",
			"Cache-Control":           "no-store",
		} {
			if got := a.header.Get(name); got != want {
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
		log := serve(t, httptest.NewRequest(http.MethodGet, tt.target, nil)).log
		if !strings.Contains(log, tt.want) {
			t.Errorf("%s: no %s in %s", tt.target, tt.want, log)
		}
		if strings.Contains(log, "mei@") || strings.Contains(log, "482915") {
			t.Errorf("%s: %s", tt.target, log)
		}
	}
	log := serve(t, httptest.NewRequest("MEI", "/fine/a", nil)).log
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
