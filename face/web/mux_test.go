package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/face/web"
)

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text+r.PathValue("account")) }
}

func TestAMuxKnowsWhatIsOnIt(t *testing.T) {
	one, other := web.NewMux(), web.NewMux()
	one.Handle("POST /b", says("posted"))
	one.HandleFunc("GET /a/{account}", says("account "))
	other.HandleFunc("GET /c", says("c"))
	one.Include(other)
	want := []string{"GET /a/{account}", "GET /c", "POST /b"}
	if d := cmp.Diff(want, one.Patterns()); d != "" {
		t.Error(d)
	}
	for _, tt := range []struct {
		method, path, pattern, body string
		status                      int
	}{
		{"GET", "/a/seller-4711", "GET /a/{account}", "account seller-4711", 200},
		{"GET", "/c", "GET /c", "c", 200},
		{"POST", "/b", "POST /b", "posted", 200},
		{"POST", "/c", "", "", 405},
		{"GET", "/d", "", "", 404},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.path, nil)
		one.ServeHTTP(w, r)
		if w.Code != tt.status || r.Pattern != tt.pattern || tt.body != "" && w.Body.String() != tt.body {
			t.Errorf("%s %s: %d %q by %q", tt.method, tt.path, w.Code, w.Body, r.Pattern)
		}
	}
}

// What one part of the program has on the mux another one may not take over.
func TestAPatternIsTakenOnce(t *testing.T) {
	one, other := web.NewMux(), web.NewMux()
	one.HandleFunc("GET /a/{account}", says(""))
	other.HandleFunc("GET /a/{id}", says(""))
	defer func() {
		if recover() == nil {
			t.Error("it was taken twice")
		}
	}()
	one.Include(other)
}
