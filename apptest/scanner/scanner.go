package scanner

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"countersign.dev/apptest/browser"
)

// Mail is what a scanner sees of a message: its text, and its HTML if it has some.
type Mail struct{ Text, HTML string }

// Report says what a scan did.
type Report struct {
	Addresses []string // in the mail, on the site
	Fetched   int      // answers to HEAD and GET
	Opened    int      // pages in the browser
	Sent      int      // forms sent and buttons clicked

	site string
}

// Fetch asks for the addresses of a mail that are on a site, by HEAD and by GET, and follows where it is sent. Those on other sites are
// left alone: a test does not leave the machine.
func Fetch(t testing.TB, m Mail, site string) *Report {
	t.Helper()
	r := &Report{site: site}
	for _, address := range Addresses(m) {
		if onSite(address, site) {
			r.Addresses = append(r.Addresses, address)
			r.Fetched += prefetch(t, address)
		}
	}
	return r
}

// Open does all it can to the addresses in a browser.
func (r *Report) Open(t testing.TB) {
	t.Helper()
	if len(r.Addresses) == 0 {
		return
	}
	robot := robot{Visitor: browser.New(t, browser.Options{}), linked: map[string]bool{}, seen: map[string]bool{}, report: r}
	for _, address := range r.Addresses {
		robot.explore(way{address: address}, levels)
	}
}

func onSite(address, site string) bool {
	return address == site || strings.HasPrefix(address, site+"/")
}

var inText = regexp.MustCompile(`https?://[^\s<>"'()\[\]，。；：！？、（）《》]+`)

// Addresses returns every address that stands in the text of a mail or in an attribute of its HTML, each once.
func Addresses(m Mail) (all []string) {
	for _, found := range inText.FindAllString(m.Text, -1) {
		all = append(all, strings.TrimRight(found, ".,;:!?"))
	}
	for lexer := html.NewTokenizer(strings.NewReader(m.HTML)); lexer.Next() != html.ErrorToken; {
		for _, a := range lexer.Token().Attr {
			if u, err := url.Parse(strings.TrimSpace(a.Val)); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
				all = append(all, u.String())
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// prefetch asks for an address by HEAD and by GET, without cookies, and follows where it is sent.
func prefetch(t testing.TB, address string) (answers int) {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		r, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		answers++
	}
	return answers
}
