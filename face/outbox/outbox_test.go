package outbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"countersign.dev/apptest"
	"countersign.dev/base/auth"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/channel/outbox"
	face "countersign.dev/face/outbox"
	"countersign.dev/face/web"
)

type bundle struct {
	*testing.T
	box  *outbox.Outbox
	page *face.Page
	url  string
	auth *auth.Auth
	db   *store.DB
}

// setup serves an outbox with a mail and, on top of it, a text message.
func setup(t *testing.T) *bundle {
	t.Helper()
	db := apptest.Open(t, store.SQLite, nil)
	keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: filepath.Join(t.TempDir(), "keys")})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{T: t, db: db, box: outbox.New(), auth: auth.New(auth.Options{DB: db, Keys: keys})}
	b.page = face.New(face.Options{Auth: b.auth, Box: b.box})
	srv := httptest.NewServer(web.Wrap(b.page, web.Options{}))
	t.Cleanup(srv.Close)
	b.url = srv.URL
	b.box.Send(t.Context(), deliver.Message{
		DeliveryID: "d1", Reference: "CS-7K3M-9QXT-2V", Channel: "email", To: "mei@example.com", Subject: "Confirm <this>",
		Text: "Your code\n\n482 915", HTML: mail,
	})
	b.box.Send(t.Context(), deliver.Message{DeliveryID: "d2", Channel: "sms", To: "+8613800138000", Text: "Harbourline: 739154 confirms"})
	return b
}

const mail = `<p style="color:red">Your "code" & <b>482 915</b></p><script>alert(1)</script>`

func (b *bundle) key(scope auth.Scope) (secret string) {
	b.Helper()
	err := b.db.Write(b.Context(), func(tx *store.Tx) (err error) {
		secret, _, err = b.auth.Create(b.Context(), tx, "test", []auth.Scope{scope}, nil, event.CLI)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return secret
}

// answer is what came back, and where from.
type answer struct {
	status int
	header http.Header
	path   string
	body   string
}

// get fetches a path with header names and values in turn; "Host" is the host.
func (b *bundle) get(client *http.Client, path string, headers ...string) answer {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, res.Request.URL.Path, string(body)}
}

// browser keeps cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func TestProgramsReadItWithAKey(t *testing.T) {
	b := setup(t)
	a := b.get(http.DefaultClient, "/outbox.json", "Authorization", "Bearer "+b.key(auth.Outbox))
	if a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0]["id"] != "d2" || got[0]["channel"] != "sms" || got[1]["notice"] != "CS-7K3M-9QXT-2V" || got[1]["html"] != mail {
		t.Error(a.body)
	}
	for _, name := range []string{"id", "at", "channel", "to", "subject", "text", "html", "notice"} {
		if _, ok := got[0][name]; !ok {
			t.Errorf("no member %s", name)
		}
	}
}

func TestAnEmptyOutboxIsAList(t *testing.T) {
	b := setup(t)
	b.page = face.New(face.Options{Auth: b.auth, Box: outbox.New()})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://localhost/outbox.json", nil)
	r.Header.Set("Authorization", "Bearer "+b.key(auth.All))
	b.page.ServeHTTP(w, r)
	if w.Body.String() != "[]" {
		t.Error(w.Body)
	}
}

func TestWhoMayNotReadIt(t *testing.T) {
	b := setup(t)
	key := b.key(auth.Outbox)
	tests := map[string]struct {
		headers []string
		status  int
		id      string
	}{
		"nobody":              {nil, 401, "outbox-closed"},
		"a key without scope": {[]string{"Authorization", "Bearer " + b.key(auth.AccountsRead)}, 403, "wrong-scope"},
		"no key at all":       {[]string{"Authorization", "Bearer x"}, 401, "unauthenticated"},
		"a made-up cookie":    {[]string{"Cookie", "countersign-outbox=" + strings.Repeat("0", 32)}, 401, "outbox-closed"},
		"a rebound name":      {[]string{"Authorization", "Bearer " + key, "Host", "rebound.example.com"}, 403, "host-not-loopback"},
	}
	for name, tt := range tests {
		for _, path := range []string{"/outbox", "/outbox.json"} {
			a := b.get(http.DefaultClient, path, tt.headers...)
			if a.status != tt.status || !strings.Contains(a.body, web.TypeBase+tt.id) || strings.Contains(a.body, "739154") {
				t.Errorf("%s, %s: %d %s", name, path, a.status, a.body)
			}
		}
	}
}

func TestAOneTimeAddressOpensItOnce(t *testing.T) {
	b := setup(t)
	address := strings.TrimPrefix(b.page.OneTimeURL(b.url), b.url)
	w := httptest.NewRecorder()
	b.page.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "http://localhost"+address, nil))
	if w.Code != http.StatusUnauthorized {
		t.Fatalf("a look at the link took it: %d", w.Code)
	}

	first := browser(t)
	a := b.get(first, address)
	if a.status != http.StatusOK || a.path != "/outbox" || !strings.Contains(a.body, "739154") {
		t.Fatalf("%d at %s: %s", a.status, a.path, a.body)
	}
	if a := b.get(first, "/outbox.json"); a.status != http.StatusOK {
		t.Errorf("the cookie does not last: %d", a.status)
	}
	for _, path := range []string{address, "/outbox/open?token=", "/outbox/open"} {
		if a := b.get(browser(t), path); a.status != http.StatusUnauthorized {
			t.Errorf("a second browser gets in with %s: %d", path, a.status)
		}
	}
	w = httptest.NewRecorder()
	b.page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, b.page.OneTimeURL("http://127.0.0.1"), nil))
	if c := w.Header().Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Strict") || !strings.Contains(c, "Path=/") {
		t.Error(c)
	}
}

func TestThePage(t *testing.T) {
	b := setup(t)
	key := "Bearer " + b.key(auth.Outbox)
	for locale, words := range map[string][]string{
		"en":    {"Outbox", "2 messages", "E-mail", "SMS", "To: mei@example.com", "Confirm &lt;this&gt;", "CS-7K3M-9QXT-2V"},
		"zh-CN": {"发件箱", "2 条消息", "电子邮件", "短信", "发送至：mei@example.com"},
	} {
		a := b.get(http.DefaultClient, "/outbox", "Authorization", key, "Accept-Language", locale)
		if a.header.Get("Content-Language") != locale || !strings.Contains(a.body, `<html lang="`+locale+`">`) {
			t.Errorf("%s: in %s", locale, a.header.Get("Content-Language"))
		}
		for _, word := range words {
			if !strings.Contains(a.body, word) {
				t.Errorf("%s: no %q", locale, word)
			}
		}
		if strings.Contains(a.body, "outbox.") || strings.Index(a.body, "739154") > strings.Index(a.body, "482 915") {
			t.Errorf("%s: an untranslated text, or not newest first", locale)
		}
		if got := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none';") || strings.Contains(got, "script") {
			t.Error(got)
		}
	}
}

// The mail is in a frame that may do nothing, whole and as it would have left.
func TestAMailIsShownInASandbox(t *testing.T) {
	b := setup(t)
	body := b.get(http.DefaultClient, "/outbox", "Authorization", "Bearer "+b.key(auth.Outbox)).body
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	frames := 0
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "script":
			t.Error("a script on the page itself")
		case n.Type == html.ElementNode && n.Data == "iframe":
			frames++
			attrs := map[string]string{}
			for _, a := range n.Attr {
				attrs[a.Key] = a.Val
			}
			if sandbox, ok := attrs["sandbox"]; !ok || sandbox != "" || attrs["srcdoc"] != mail {
				t.Errorf("%v", attrs)
			}
		}
	}
	if frames != 1 {
		t.Errorf("%d frames", frames)
	}
}

func TestOtherMethods(t *testing.T) {
	b := setup(t)
	w := httptest.NewRecorder()
	web.Wrap(b.page, web.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://localhost/outbox", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
}
