package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/auth"
)

// Whoever reads all that a session of the portal and a key without the scope outbox give, while a verification of each method, a
// dispute and a portal URL are open, finds none of their secrets and nothing that would tell a right code from a wrong one: two accounts
// that differ in nothing but their codes read the same, and no code of the million is behind anything that looks like a digest.
func TestNothingThatCanBeReadTellsACode(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			p := newPlatform(t, engine)
			key := keyWithout(p, auth.Outbox)
			twins := newTwins(p, key)
			first, second := twins[0].walk(), twins[1].walk()
			sameAnswers(t, twins, first, second)
			for i, answers := range []map[string]reply{first, second} {
				twins[i].showsNoSecret(answers)
			}
			w := twins[0].words()
			if found := newCodeHunt(first).try(w); len(found) > 0 {
				t.Errorf("digests of codes can be read: %q", found)
			}
		})
	}
}

// keyWithout makes a key with every scope but one.
func keyWithout(p *platform, scope auth.Scope) string {
	p.Helper()
	args := []string{"key", "create", "--name", "curious"}
	for _, s := range auth.Scopes() {
		if s != string(auth.All) && s != string(scope) {
			args = append(args, "--scope", s)
		}
	}
	out, errs, code := command(p.Context(), p.main.Settings, args...)
	if code != exitDone {
		p.Fatal(errs)
	}
	return strings.TrimSpace(out)
}

// twin is one of two accounts that are alike in everything that is not secret.
type twin struct {
	*platform
	id, letter string
	key        string
	v          visit
	live       []string          // verifications: by code, by link, by SMS
	done       []string          // those that ended
	reference  string            // of the message with the dispute code
	secrets    map[string]string // by what they are
}

func newTwins(p *platform, key string) []*twin {
	p.Helper()
	twins := []*twin{{platform: p, id: "twin-a", letter: "a", key: key}, {platform: p, id: "twin-b", letter: "b", key: key}}
	db := direct(p, p.main.Settings)
	each := func(pause time.Duration, do func(tw *twin)) {
		for _, tw := range twins { // the time is the same for both
			do(tw)
		}
		p.eventually("an end of what goes on in the background", func() bool { return p.quiet(db) })
		p.clock.Advance(pause)
	}
	each(time.Second, func(tw *twin) {
		tw.secrets = map[string]string{}
		tw.put(tw.id, object{"name": "Twin", "country": "GB"}, nil)
	})
	phones := map[string]string{"a": "07400 582934", "b": "07400 592934"}
	for _, slot := range []string{"email", "email-2", "email-3", "phone"} {
		each(time.Second, func(tw *twin) {
			value := map[string]string{"email": "e", "email-2": "f", "email-3": "g"}[slot] + tw.letter + "@twin.example"
			if slot == "phone" {
				value = phones[tw.letter]
			}
			tw.must(http.StatusOK, http.MethodPut, contactPath(tw.id, slot), object{"value": value})
		})
	}
	each(time.Minute, func(tw *twin) { tw.prove("g") })
	each(time.Second, func(tw *twin) {
		tw.must(http.StatusOK, http.MethodPut, contactPath(tw.id, "email-3"), object{"value": "h" + tw.letter + "@twin.example"})
		tw.prove("h")
		tw.reference, tw.secrets["a dispute code"] = disputeIn(p, p.message("g"+tw.letter+"@twin.example", 2))
	})
	each(time.Second, (*twin).startCode)
	each(time.Second, (*twin).startLink)
	each(time.Second, (*twin).startSMS)
	each(0, func(tw *twin) {
		tw.secrets["a portal URL"] = tw.portalURL(tw.id, nil)[len(p.main.URL()+"/start/"):]
		tw.v = tw.visit(tw.id, nil)
	})
	return twins
}

// prove verifies what stands in the third slot, at the address that begins with this letter.
func (tw *twin) prove(first string) {
	tw.Helper()
	id := tw.start(tw.id, "email-3")
	tw.check(id, sixDigits.FindString(tw.message(first+tw.letter+"@twin.example", 1).Text))
	tw.done = append(tw.done, id)
}

func (tw *twin) startCode() {
	tw.Helper()
	tw.live = append(tw.live, tw.start(tw.id, "email"))
	tw.secrets["a code by mail"] = sixDigits.FindString(tw.message("e"+tw.letter+"@twin.example", 1).Text)
}

func (tw *twin) startLink() {
	tw.Helper()
	tw.live = append(tw.live, tw.must(http.StatusCreated, http.MethodPost, contactPath(tw.id, "email-2")+"/verifications", object{"method": "link"}).text("id"))
	address := linkIn(tw, tw.message("f"+tw.letter+"@twin.example", 1))
	tw.secrets["a token"] = address[strings.LastIndexByte(address, '/')+1:]
	shown := visit{p: tw.platform}.do(http.MethodGet, strings.TrimPrefix(address, tw.main.URL()), nil)
	tw.secrets["the code of a link"] = onlyDigits(shownCode.FindString(string(shown.raw)))
}

func (tw *twin) startSMS() {
	tw.Helper()
	before := tw.main.outbox.Messages()
	tw.live = append(tw.live, tw.start(tw.id, "phone"))
	tw.eventually("the text message", func() bool { return len(tw.main.outbox.Messages()) > len(before) })
	tw.secrets["a code by SMS"] = sixDigits.FindString(tw.newestSMS().Text)
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// words are the ids of the twin, all of which can be read.
func (tw *twin) words() []string { return append([]string{tw.id}, tw.live...) }

// walk asks for every page and every resource, and then sends every form and every request that has a body.
func (tw *twin) walk() map[string]reply {
	tw.Helper()
	answers := map[string]reply{}
	keep := func(name string, r reply) {
		if r.status >= 500 || r.status == http.StatusUnauthorized {
			tw.Errorf("%s: got %d: %s", name, r.status, r.raw)
		}
		answers[name] = r
	}
	posts := map[string]bool{}
	for _, pattern := range tw.main.mux.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		switch {
		case method == http.MethodPost:
			posts[pattern] = true
		case method == http.MethodGet && !strings.HasPrefix(path, "/outbox") && !strings.HasPrefix(path, "/assets") && !strings.HasPrefix(path, "/v1/docs"):
			for i, to := range tw.places(path) {
				keep(fmt.Sprintf("%s #%d", pattern, i), tw.ask(method, to, nil))
			}
		}
	}
	for _, s := range tw.sendings() {
		delete(posts, s.pattern)
		keep(s.name(), tw.ask(http.MethodPost, s.path, s.body))
	}
	for pattern := range posts {
		tw.Errorf("%s is not in the table of what is sent", pattern)
	}
	return answers
}

// places are all addresses that a route has for the twin.
func (tw *twin) places(path string) (all []string) {
	path = strings.NewReplacer("{session}", tw.v.id, "{account}", tw.id, "{token}", strings.Repeat("0", 52), "{file}", "x", "{$}", "").Replace(path)
	slots := []string{"email", "email-2", "email-3", "email-4", "phone", "phone-2"}
	switch {
	case strings.Contains(path, "{slot}"):
		for _, slot := range slots {
			all = append(all, strings.Replace(path, "{slot}", slot, 1))
		}
	case strings.Contains(path, "{id}"):
		for _, id := range slices.Concat(tw.live, tw.done) {
			all = append(all, strings.Replace(path, "{id}", id, 1))
		}
	default:
		all = []string{path}
	}
	return all
}

// sending is one request with a body; a form for a page, an object for the API.
type sending struct {
	pattern, path string
	about         string
	body          any
}

func (s sending) name() string { return s.pattern + " " + s.about }

// Two codes that are wrong for both twins, but for one chance in hundreds of thousands.
var wrongCodes = []string{"271828", "314159"}

// sendings are in an order in which each is answered in full: what changes something comes last.
func (tw *twin) sendings() (all []sending) {
	session, account := "/s/"+tw.v.id, accountPath(tw.id)
	add := func(pattern, about, path string, body any) { all = append(all, sending{pattern, path, about, body}) }
	for i, id := range tw.live {
		for _, code := range append(wrongCodes, "12", "") {
			about := fmt.Sprintf("of %d with %q", i, code)
			add("POST /s/{session}/verifications/{id}/check", about, session+"/verifications/"+id+"/check", url.Values{"code": {code}})
		}
		add("POST /v1/verifications/{id}/check", fmt.Sprint("of ", i), "/v1/verifications/"+id+"/check", object{"code": wrongCodes[0]})
		add("POST /v1/verifications/{id}/resend", fmt.Sprint("of ", i), "/v1/verifications/"+id+"/resend", nil)
		add("POST /s/{session}/verifications/{id}/resend", fmt.Sprint("of ", i), session+"/verifications/"+id+"/resend", url.Values{})
	}
	for slot, method := range map[string]string{"email": "code", "email-2": "link", "phone": "sms"} {
		add("POST /v1/accounts/{account}/contacts/{slot}/verifications", slot, account+"/contacts/"+slot+"/verifications", object{"method": method})
		add("POST /s/{session}/contacts/{slot}/verify", slot, session+"/contacts/"+slot+"/verify", url.Values{"method": {method}})
	}
	for _, code := range []string{wrongCodes[0] + "00", wrongCodes[1] + "00", "1"} {
		add("POST /dispute", code, "/dispute", url.Values{"reference": {tw.reference}, "code": {code}})
		add("POST /v1/accounts/{account}/contacts/{slot}/disputes", code, account+"/contacts/email-3/disputes", object{"reference": tw.reference, "code": code})
	}
	add("POST /start/{token}", "", "/start/"+strings.Repeat("0", 52), url.Values{})
	add("POST /link/{token}", "", "/link/"+strings.Repeat("0", 52), url.Values{})
	add("POST /v1/portal-sessions", "", "/v1/portal-sessions", object{"account": tw.id, "return_url": tw.site + "/account"})
	add("POST /s/{session}/contacts/{slot}/defer", "", session+"/contacts/phone/defer", url.Values{"why": {"travel"}, "until": {"x"}})
	add("POST /v1/accounts/{account}/contacts/{slot}/deferrals", "", account+"/contacts/phone/deferrals", object{"until": tw.clock.Now().Add(48 * time.Hour), "reason": "later"})
	add("POST /s/{session}/contacts/{slot}/change", "", session+"/contacts/email-3/change", url.Values{"value": {"x"}})
	add("POST /s/{session}/contacts/{slot}/change/withdraw", "", session+"/contacts/email-3/change/withdraw", url.Values{})
	add("POST /s/{session}/contacts/{slot}/remove", "", session+"/contacts/email-3/remove", url.Values{"version": {"1"}})
	add("POST /s/{session}/settings", "", session+"/settings", url.Values{"locale": {"x"}})
	add("POST /s/{session}/language", "", session+"/language", url.Values{"locale": {"zh-CN"}})
	add("POST /s/{session}/sign-out", "", session+"/sign-out", url.Values{})
	return all
}

// ask is a request with the twin's cookie to a page, or with the key to the API.
func (tw *twin) ask(method, path string, body any) reply {
	tw.Helper()
	if form, isForm := body.(url.Values); isForm || !strings.HasPrefix(path, "/v1/") {
		return tw.v.do(method, path, form, "Authorization", "Bearer "+tw.key)
	}
	if method == http.MethodGet {
		body = nil
	}
	return tw.call(method, path, body, "Authorization", "Bearer "+tw.key)
}

// showsNoSecret looks for each live secret in what was answered, headers too.
func (tw *twin) showsNoSecret(answers map[string]reply) {
	tw.Helper()
	for what, secret := range tw.secrets {
		if len(secret) < 6 {
			tw.Fatalf("%s was not found: %q", what, secret)
		}
	}
	for name, r := range answers {
		text := fmt.Sprint(r.header) + "\n" + string(r.raw)
		here := place{content: []byte(text + "\n" + grouped.ReplaceAllString(text, "$1$2")), prose: true}
		for what, secret := range tw.secrets {
			if len(secret) == 6 && here.shows(secret) || len(secret) != 6 && strings.Contains(string(here.content), secret) {
				tw.Errorf("%s shows %s", name, what)
			}
		}
	}
}

// grouped is a code as people read it: in two groups.
var grouped = regexp.MustCompile(`(\d{3,4})[\s\x{a0}\x{2009}-](\d{3,4})`)

// sameAnswers compares what two twins read.
func sameAnswers(t *testing.T, twins []*twin, first, second map[string]reply) {
	t.Helper()
	if len(first) < 60 || len(first) != len(second) {
		t.Fatalf("%d and %d answers", len(first), len(second))
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if ofEverybody[strings.Fields(name)[1]] {
			continue
		}
		a, b := twins[0].anonymous(first[name]), twins[1].anonymous(second[name])
		if at := slices.IndexFunc(a, func(part string) bool { return !slices.Contains(b, part) }); at >= 0 || len(a) != len(b) {
			one, other := a[max(at, 0)], b[min(max(at, 0), len(b)-1)]
			from := firstDifference(one, other)
			t.Errorf("%s tells the twins apart (%d and %d parts): …%.200q and …%.200q", name, len(a), len(b), one[from:], other[from:])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		other := strings.Replace(name, wrongCodes[0], wrongCodes[1], 1)
		if other == name {
			continue
		}
		one, two := strings.Join(twins[0].anonymous(first[name]), ""), strings.Join(twins[0].anonymous(first[other]), "")
		if numbers.ReplaceAllString(one, "0") != numbers.ReplaceAllString(two, "0") { // the tries that are left
			t.Errorf("%s and %s differ", name, other)
		}
	}
}

// firstDifference is a little before where two texts part.
func firstDifference(a, b string) int {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	return max(0, at-60)
}

// ofEverybody are the resources that show all accounts at once.
var ofEverybody = map[string]bool{"/v1/accounts": true, "/v1/events": true, "/metrics": true, "/styleguide": true}

var (
	anID    = regexp.MustCompile(`[0-9a-z]{26,52}`)
	aNumber = regexp.MustCompile(`\d{13,}`)
	numbers = regexp.MustCompile(`\d+`)
)

// anonymous is an answer without what is the twin's own and no secret, in parts: what happened at the same time comes in any order.
func (tw *twin) anonymous(r reply) []string {
	h := r.header.Clone()
	for _, name := range []string{"Date", "Request-Id", "Content-Length"} {
		h.Del(name)
	}
	text := fmt.Sprintln(r.status, h) + string(r.raw)
	for _, id := range slices.Concat(tw.live, tw.done, []string{tw.v.id, tw.id, tw.reference}) {
		text = strings.ReplaceAll(text, id, "OWN")
	}
	text = strings.NewReplacer("<li", "\x00<li", "</li>", "</li>\x00").Replace(text)
	parts := strings.Split(aNumber.ReplaceAllString(anID.ReplaceAllString(text, "ID"), "NUMBER"), "\x00")
	slices.Sort(parts)
	return parts
}
