package ui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/a-h/templ"

	"countersign.dev/apptest/browser"
	"countersign.dev/face/web/ui"
)

// seen are the requests that reached a site.
type seen struct {
	sync.Mutex
	all []*http.Request
}

func (s *seen) before(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Lock()
		s.all = append(s.all, r.Clone(r.Context()))
		s.Unlock()
		h.ServeHTTP(w, r)
	})
}

// A page whose address holds a token tells nothing of it to what it loads or leads to, and its form is taken from a browser of the
// time before Sec-Fetch-Site, by its Origin.
func TestTheAddressOfAPageIsToldToNobody(t *testing.T) {
	var posted atomic.Int32
	pages := site(t, func(p *ui.Page) []templ.Component {
		p.SwitchURL = "/elsewhere"
		return []templ.Component{ui.Title("Link", ""), with(ui.Form("/link/token"), sendButton("send"))}
	}, &posted)
	guarded := http.NewCrossOriginProtection().Handler(pages)
	var got seen
	srv := httptest.NewServer(got.before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Sec-Fetch-Site")
		guarded.ServeHTTP(w, r)
	})))
	defer srv.Close()
	v := browser.New(t, browser.Options{})
	v.Open(srv.URL + "/link/token")
	v.Click("Send")
	v.AwaitHeading("Done")
	v.Open(srv.URL + "/link/token")
	v.Click("中文")
	v.AwaitHeading("Link")
	loaded := map[string]bool{}
	got.Lock()
	defer got.Unlock()
	for _, r := range got.all {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/assets/"), ".")
		loaded[name] = true
		if strings.Contains(r.Referer(), "token") {
			t.Errorf("%s is told of %s", r.URL.Path, r.Referer())
		}
		if r.Method == http.MethodPost && r.Header.Get("Origin") != srv.URL {
			t.Errorf("the form comes from %q", r.Header.Get("Origin"))
		}
	}
	if posted.Load() != 1 || !loaded["ui"] || !loaded["brand"] || !loaded["app"] || !loaded["logo"] || !loaded["/elsewhere"] {
		t.Errorf("posted %d times, loaded %v", posted.Load(), loaded)
	}
}
