package api_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"countersign.dev/apptest"
	"countersign.dev/base/store"
	"countersign.dev/face/web"
)

// What the API adds to a check: everything but the feature, which here refuses the code by its form, and the socket.
func BenchmarkCheckWithoutTheFeature(b *testing.B) {
	h, send := benchmark(b)
	b.ReportAllocs()
	for b.Loop() {
		if got := send(h, http.MethodPost, "/v1/verifications/01k2x8q4vdn5r3y6w7m9b1c2d4/check", `{"code":"12345"}`); got != 422 {
			b.Fatal(got)
		}
	}
}

// A read through the API, one statement on SQLite included.
func BenchmarkGetAccount(b *testing.B) {
	h, send := benchmark(b)
	if got := send(h, http.MethodPut, "/v1/accounts/a", `{"name":"Mei"}`); got != 201 {
		b.Fatal(got)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := send(h, http.MethodGet, "/v1/accounts/a", ""); got != 200 {
			b.Fatal(got)
		}
	}
}

func benchmark(b *testing.B) (http.Handler, func(h http.Handler, method, path, body string) int) {
	b.Helper()
	s := setup(b, apptest.Open(b, store.SQLite, nil), nil)
	h := web.Wrap(s.server.Handler(), web.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Observe: s.metrics.Observe})
	return h, func(h http.Handler, method, path, body string) int {
		r := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
		r.Header.Set("Authorization", "Bearer "+s.key)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
}
