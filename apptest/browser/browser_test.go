package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Around(m).Run()) }

// site serves pages by path.
func site(t *testing.T, pages map[string]string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'sha256-none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>Page</title><link rel=icon href='data:,'>" +
			strings.ReplaceAll(page, "{{language}}", r.Header.Get("Accept-Language")) + "<p>" + r.FormValue("word") + r.FormValue("when") + r.FormValue("zone") + r.FormValue("agreed")))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

const form = `<style>:focus-visible{outline:2px solid}</style><h1>Form</h1><a href=#main>Skip</a><form action=/done><label>Word <input name=word value=old></label>
<fieldset><legend>When</legend><label><input type=radio name=when value=now checked>Now</label><label><input type=radio name=when value=later>Later</label></fieldset>
<label>Zone <select name=zone><option value=l>London<option value=s>上海</select></label>
<label><input type=checkbox name=agreed value=yes>Agreed</label><details><summary>Why?</summary>Because.</details>
<button>Send</button><button type=button>Send another</button></form><a href=/done>On</a>`

// A form is filled in and sent, a link followed and a summary opened in each way that people have.
func TestAVisitorUsesAPage(t *testing.T) {
	url := site(t, map[string]string{"/": form, "/done": "<h1>Done</h1>"})
	for name, o := range map[string]Options{
		"mouse": {}, "phone": {Width: Phone}, "keyboard": {Keyboard: true}, "no scripts": {NoScript: true}, "keyboard without scripts": {NoScript: true, Keyboard: true},
	} {
		t.Run(name, func(t *testing.T) {
			v := New(t, o)
			v.Open(url)
			v.AwaitHeading("Form")
			v.Click("Why?")
			v.Await("Because.")
			v.Type("Word", "new and 新的,")
			v.Click("Later")
			v.Choose("Zone", "上海")
			v.Click("Agreed")
			v.Click("Send")
			v.AwaitHeading("Done")
			v.Await("new and 新的,latersyes")
			v.Back()
			v.Click("On")
			v.AwaitHeading("Done")
			if v.URL().Path != "/done" || v.URL().RawQuery != "" || v.Status() != http.StatusOK || v.Has("On") {
				t.Errorf("the visitor is at %s with %d", v.URL(), v.Status())
			}
		})
	}
}

func TestVisitorsShareNothing(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
		_, err := r.Cookie("seen")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<link rel=icon href='data:,'>" + map[bool]string{true: "again ", false: "new "}[err == nil] + r.Header.Get("Accept-Language")))
	}))
	defer srv.Close()
	first, second := New(t, Options{Locale: "zh-CN"}), New(t, Options{})
	first.Open(srv.URL)
	first.Await("new zh-CN")
	first.Reload()
	first.Await("again zh-CN")
	second.Open(srv.URL)
	second.Await("new en")
}

// What a browser complains about is heard, in each way of looking.
func TestComplaintsAreHeard(t *testing.T) {
	for name, c := range map[string]struct{ page, complaint string }{
		"a policy":        {"<script>1</script>", "security:"},
		"a missing file":  {"<img src=/gone.png alt=x>", "/gone.png was answered with 404"},
		"another site":    {"<img src=http://127.0.0.2:1/x.png alt=x>", "fetches http://127.0.0.2:1/x.png"},
		"nothing at all":  {"<h1>Fine</h1>", ""},
		"an inline event": {"<p onclick=go()>x</p>", "security:"},
	} {
		t.Run(name, func(t *testing.T) {
			v := New(t, Options{})
			v.Open(site(t, map[string]string{"/": c.page}))
			v.Await("")
			all := v.complaints.take()
			if c.complaint == "" && len(all) > 0 || c.complaint != "" && !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, c.complaint) }) {
				t.Errorf("heard %q, want %q", all, c.complaint)
			}
		})
	}
}

func TestWhatIsWrongIsSeen(t *testing.T) {
	url := site(t, map[string]string{
		"/good": "<main><h1>Good</h1><p style='overflow:hidden'>All of it.</p><p>portal.example and a@notice.example</p></main>",
		"/bad": "<main><h1>fault.not-there</h1><p style='color:#aaa'>Pale</p><div style='width:2000px'>Wide</div>" +
			"<p style='height:1.2em;overflow:hidden;width:3em;font-size:1rem'>Several words in little room</p><a href=/ aria-label='ui.home'>%!d(string=x)</a></main>",
	})
	v := New(t, Options{Width: Phone})
	v.Open(url + "/good")
	if all := slices.Concat(v.Axe(), v.Beyond(), v.Cut(), v.Untranslated()); all != nil {
		t.Errorf("a good page has %q", all)
	}
	v.Open(url + "/bad")
	for what, found := range map[string][]string{"color-contrast": v.Axe(), "2000px": v.Beyond(), "Several": v.Cut(), "fault.not-there": v.Untranslated(), "ui.home": v.Untranslated(), "%!d(": v.Untranslated()} {
		if !strings.Contains(strings.Join(found, "\n"), what) {
			t.Errorf("%s is not among %q", what, found)
		}
	}
}

func TestInspectLooksAtEverySize(t *testing.T) {
	v := New(t, Options{})
	v.Open(site(t, map[string]string{"/": "<main><h1>Looked at</h1></main>"}))
	v.Inspect("self-test")
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, look := range []string{"1280-light", "1280-dark", "390-light", "390-dark"} {
		if err := os.Remove(dir + "/screenshots/self-test-" + look + ".png"); err != nil {
			t.Error(err)
		}
	}
	if v.o.Width != Wide || v.o.Dark {
		t.Error("the window is not as it was")
	}
}
