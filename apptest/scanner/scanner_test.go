package scanner_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"countersign.dev/apptest/browser"
	"countersign.dev/apptest/scanner"
)

func TestMain(m *testing.M) { os.Exit(browser.Around(m).Run()) }

// site is one that does what scanners set off, and remembers it.
type site struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
}

func newSite(t *testing.T, pages map[string]string) *site {
	s := &site{seen: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = r.ParseForm() // of a test's own pages
		values := r.PostForm.Encode()
		s.seen[strings.TrimSpace(fmt.Sprint(r.Method, " ", r.URL.Path, " ", values))]++
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<link rel=icon href='data:,'>" + pages[r.URL.Path]))
	}))
	t.Cleanup(s.Close)
	return s
}

// What careless pages would do at a scanner's visit, a scan sets off.
func TestAScanSetsOffWhatItCan(t *testing.T) {
	s := newSite(t, map[string]string{
		"/link": `<h1>Confirm</h1><form method=post action=/confirm><input type=hidden name=token value=t><input name=code inputmode=numeric maxlength=6>
			<input type=email name=mail required><select name=why><option>a<option>b</select><label><input type=radio name=sure value=yes></label>
			<button name=by value=button>Yes</button></form><form method=post action=/bare><input name=x></form>
			<button type=button onclick="fetch('/called', {method: 'POST'})">Call</button><a href=/deeper>Deeper</a>`,
		"/confirm":   `<form method=post action=/second><button>Really</button></form>`,
		"/deeper":    `<a href=/deepest>Deepest</a><script>fetch("/run", {method: "POST"})</script>`,
		"/deepest":   `<form method=post action=/found><button>Go</button></form><a href=/beyond>Beyond</a>`,
		"/elsewhere": ``,
	})
	mail := scanner.Mail{
		Text: "Open " + s.URL + "/link. Nothing on https://elsewhere.example/x.",
		HTML: `<p><a href="` + s.URL + `/link">Open</a><img src="` + s.URL + `/pixel"></p>`,
	}
	report := scanner.Fetch(t, mail, s.URL)
	report.Open(t)
	if want := []string{s.URL + "/link", s.URL + "/pixel"}; !slices.Equal(report.Addresses, want) || report.Fetched != 4 || report.Opened == 0 || report.Sent == 0 {
		t.Errorf("the report is %+v", report)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, want := range []string{
		"HEAD /link", "GET /link", "HEAD /pixel", "POST /confirm by=button&code=123456&mail=scanner%40mail.example&sure=yes&token=t&why=b", "POST /bare x=scanner",
		"POST /called", "POST /second", "GET /deeper", "POST /run", "GET /deepest", "POST /found",
	} {
		if s.seen[want] == 0 {
			t.Errorf("nothing did %s, only %q", want, slices.Sorted(maps.Keys(s.seen)))
		}
	}
	if s.seen["GET /beyond"] > 0 {
		t.Error("it goes deeper than it says")
	}
}

func TestAddresses(t *testing.T) {
	got := scanner.Addresses(scanner.Mail{
		Text: "See https://a.example/x?y=1, or（http://b.example/甲）。https://a.example/x?y=1",
		HTML: `<a href=" https://c.example/?a=1&amp;b=2 ">x</a><form action="https://d.example/f"></form><a href="mailto:x@y.example">m</a>`,
	})
	want := []string{"http://b.example/甲", "https://a.example/x?y=1", "https://c.example/?a=1&b=2", "https://d.example/f"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
