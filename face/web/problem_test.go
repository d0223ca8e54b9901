package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/face/web"
)

// fail has err answered, with header names and values in turn.
func fail(t *testing.T, err error, headers ...string) (http.Header, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	web.Fail(w, r, err)
	return w.Header(), answer{status: w.Code, header: w.Header(), body: w.Body.String()}.problem(t)
}

func TestAFaultIsAnsweredAsAProblem(t *testing.T) {
	err := fault.New(fault.Invalid, "incorrect-code", 2).At("code").With("guesses_left", 2)
	header, doc := fail(t, err)
	want := map[string]any{
		"type": "https://countersign.dev/problems/incorrect-code", "title": "Against a rule", "status": 422.0,
		"detail": fault.Text(i18n.En, err), "field": "code", "guesses_left": 2.0,
	}
	if d := cmp.Diff(want, doc); d != "" {
		t.Error(d)
	}
	if got := header.Get("Content-Language"); got != "en" {
		t.Errorf("language %q", got)
	}
}

func TestTheLanguageAskedFor(t *testing.T) {
	err := fault.New(fault.NotFound, "unknown-account")
	header, doc := fail(t, err, "Accept-Language", "de, zh-CN;q=0.8, en;q=0.5")
	if doc["detail"] != fault.Text(i18n.Zh, err) || doc["title"] != "未找到" || header.Get("Content-Language") != "zh-CN" {
		t.Errorf("%v, %v", doc, header)
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", time.Millisecond: "1", time.Second: "1", 29*time.Second + 1: "30", 24 * time.Hour: "86400",
	} {
		header, _ := fail(t, fault.New(fault.TooMany, "too-many-messages").After(d))
		if got := header.Get("Retry-After"); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestWhoIsNotKnownIsChallenged(t *testing.T) {
	err := fault.New(fault.Unauthenticated, "unauthenticated")
	header, _ := fail(t, err)
	if got := header.Get("WWW-Authenticate"); got != `Bearer realm="countersign"` {
		t.Error(got)
	}
	header, _ = fail(t, err, "Authorization", "Bearer wrong")
	if got := header.Get("WWW-Authenticate"); !strings.Contains(got, "invalid_token") {
		t.Error(got)
	}
}

func TestKindsAndStatusesAgree(t *testing.T) {
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		if got := web.Kind(web.Status(k)); got != k {
			t.Errorf("%v is answered %d, which is %v", k, web.Status(k), got)
		}
		for _, l := range i18n.Locales() {
			if id := "fault.kind." + k.String(); !i18n.Has(l, id) {
				t.Errorf("no %s in %s", id, l)
			}
		}
	}
	if web.Status(fault.Kind(200)) != 500 || web.Kind(302) != fault.Internal {
		t.Error("what is not known must be ours")
	}
}

func TestLoopbackOnly(t *testing.T) {
	h := web.LoopbackOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for host, want := range map[string]int{
		"localhost": 204, "LocalHost:8080": 204, "127.0.0.1": 204, "127.0.0.1:8080": 204, "[::1]": 204, "[::1]:8080": 204, "127.9.9.9:1": 204,
		"": 403, "example.com": 403, "localhost.example.com": 403, "10.0.0.1:8080": 403, "127.0.0.1.example.com": 403, "0.0.0.0:80": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}
