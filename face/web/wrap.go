package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// MaxBody bounds the body of a request, in bytes.
const MaxBody = 1 << 20

// Options for Wrap.
type Options struct {
	Log *slog.Logger // nil: discard
	// Observe, if set, is told of each request that was answered. The route is a pattern of the mux, or "" when none matched.
	Observe func(route string, status int, took time.Duration)
	// Page, if set, answers in place of a problem document what Wrap itself refuses (no such route or method, a body that is too
	// large, a panic), for a request that prefers HTML and is not under /v1. It writes p.Status and a page.
	Page func(w http.ResponseWriter, r *http.Request, p *Problem)
}

// Wrap returns the handler to serve; h is usually a mux. It has no effect on a request beyond what the package's doc says.
func Wrap(h http.Handler, o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &wrapper{next: h, o: o}
}

type wrapper struct {
	next http.Handler
	o    Options
}

func (s *wrapper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a := &answer{ResponseWriter: w, r: r, o: &s.o, id: store.NewID(began)}
	a.strict()
	defer a.finish(began)
	switch {
	case r.ContentLength > MaxBody:
		a.fail(fault.New(fault.TooLarge, "body-too-large", MaxBody))
	case !plain(r.URL.Path):
		a.fail(fault.New(fault.NotFound, "not-found"))
	default:
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		}
		s.next.ServeHTTP(a, r)
	}
}

// plain is false for what no id, name or number of ours can hold, and a database refuses.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// answer is the response to one request.
type answer struct {
	http.ResponseWriter
	r       *http.Request
	o       *Options
	id      string
	status  int
	refused bool // the mux found no route, and a problem stands in place of its text
}

// answerOf finds the answer under whatever was put around it; nil when there is none.
func answerOf(w http.ResponseWriter) *answer {
	for {
		if a, ok := w.(*answer); ok {
			return a
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
}

// The values are shared by all answers; whoever sets another one replaces the slice.
var strictHeaders = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":         {"no-referrer"},
	"Cache-Control":           {"no-store"},
}

func (a *answer) strict() {
	h := a.Header()
	for name, values := range strictHeaders {
		h[name] = values
	}
	h["X-Request-Id"] = []string{a.id}
}

// WriteHeader notes the status. A 404 or 405 without a route is the mux's own.
func (a *answer) WriteHeader(status int) {
	switch {
	case a.status != 0:
		return
	case a.r.Pattern == "" && !a.refused && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed):
		a.refuse(status)
		return
	}
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body, but not what the mux says in place of a problem.
func (a *answer) Write(b []byte) (int, error) {
	if a.refused {
		return len(b), nil
	}
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// refuse answers a request that no route takes.
func (a *answer) refuse(status int) {
	f := fault.New(fault.NotFound, "not-found")
	if status == http.StatusMethodNotAllowed {
		f = fault.New(fault.NotFound, "method-not-allowed")
	}
	p := Describe(a, a.r, f)
	p.Status = status // there is no kind for 405: only a protocol has methods
	a.refused, a.status = true, status
	a.show(a.ResponseWriter, p)
}

// fail answers with a refusal of our own.
func (a *answer) fail(err error) { a.show(a, Describe(a, a.r, err)) }

// show writes a problem in the form that suits who asked.
func (a *answer) show(w http.ResponseWriter, p *Problem) {
	if a.o.Page != nil && prefersHTML(a.r) {
		a.o.Page(w, a.r, p)
		return
	}
	p.write(w)
}

// finish recovers from a panic and accounts for the request.
func (a *answer) finish(began time.Time) {
	if v := recover(); v != nil {
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		a.panicked(v)
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	took := time.Since(began)
	if a.o.Observe != nil {
		a.o.Observe(a.r.Pattern, a.status, took)
	}
	a.log(took)
}

// panicked logs where it happened. What was panicked with is shown only when it is the runtime's: it may hold anything.
func (a *answer) panicked(v any) {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	a.o.Log.LogAttrs(a.r.Context(), slog.LevelError, "a request panicked", slog.String("request", a.id), slog.String("route", a.r.Pattern),
		slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	if a.status == 0 {
		a.fail(fault.New(fault.Internal, "internal"))
	}
}

func (a *answer) log(took time.Duration) {
	ctx := a.r.Context()
	if !a.o.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 6)
	attrs = append(attrs, slog.String("request", a.id), slog.String("method", method(a.r.Method)), slog.String("route", a.r.Pattern),
		slog.Int("status", a.status), slog.Duration("took", took))
	if id := a.r.PathValue("account"); isID(id) {
		attrs = append(attrs, slog.String("account", id))
	}
	a.o.Log.LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
}

// method is a method as the log shows it: whoever calls may send any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// isID tells whether a path value looks like an account's id. An address that somebody put there must not reach the log.
func isID(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:~-", r)
	})
}
