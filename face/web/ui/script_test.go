package ui_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"

	"countersign.dev/apptest/browser"
	"countersign.dev/base/i18n"
	"countersign.dev/face/web/ui"
)

func TestMain(m *testing.M) { os.Exit(browser.Around(m).Run()) }

func brand(t *testing.T) *ui.Brand {
	t.Helper()
	b, err := ui.NewBrand(ui.BrandOptions{
		Name: "Harbourline", Site: "https://harbourline.example", Help: "help@harbourline.example", Accent: "#0b7a75",
		Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 32"><path d="M4 28c6-2 10-8 12-22 2 14 6 20 12 22z" fill="#0b7a75"/>` +
			`<rect x="38" y="11" width="78" height="12" rx="3" fill="#334"/></svg>`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// serve answers with a page whose content show makes anew for each request, and counts what is posted.
func serve(t *testing.T, show func(p *ui.Page) []templ.Component) (url string, posted *atomic.Int32) {
	t.Helper()
	posted = new(atomic.Int32)
	srv := httptest.NewServer(site(t, show, posted))
	t.Cleanup(srv.Close)
	return srv.URL, posted
}

func site(t *testing.T, show func(p *ui.Page) []templ.Component, posted *atomic.Int32) http.Handler {
	t.Helper()
	b := brand(t)
	a := ui.NewAssets(b)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", a.Handler())
	mux.Handle("GET /styleguide", ui.Styleguide(b, a))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p := ui.Page{Locale: i18n.En, Now: time.Now(), Title: "Test", Brand: b, Assets: a}
		content := []templ.Component{ui.Title("Done", "")}
		if r.Method == http.MethodPost {
			posted.Add(1)
		} else {
			content = show(&p)
		}
		ui.SetHeaders(w)
		_ = ui.Layout(p).Render(templ.WithChildren(r.Context(), templ.Join(content...)), w)
	})
	return mux
}

// with is a component with something in it.
func with(c templ.Component, children ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return c.Render(templ.WithChildren(ctx, templ.Join(children...)), w)
	})
}

func sendButton(id string) templ.Component { return ui.Button(ui.ButtonInput{Text: "Send", ID: id}) }

func TestStyleguideInABrowser(t *testing.T) {
	url, _ := serve(t, nil)
	for _, l := range i18n.Locales() {
		t.Run(string(l), func(t *testing.T) {
			v := browser.New(t, browser.Options{Locale: string(l)})
			v.Open(url + "/styleguide")
			v.Await(i18n.Text(l, "ui.guide.title"))
			v.Inspect(string(l) + "/styleguide")
		})
	}
}

func TestErrorsGetTheFocusAndLeadToTheirField(t *testing.T) {
	url, _ := serve(t, func(p *ui.Page) []templ.Component {
		errs := []ui.FieldError{{Field: "value", Text: "Give an address."}}
		return []templ.Component{
			ui.ErrorSummary(*p, errs), ui.Title("Change", ""),
			with(ui.Form("/"), ui.Field(*p, ui.FieldInput{Name: "value", Label: "Address", Hint: "One that works.", Error: ui.ErrorFor(errs, "value")})),
		}
	})
	v := browser.New(t, browser.Options{})
	v.Open(url)
	v.AwaitHeading("Change")
	if got := browser.Evaluate[string](v, "document.activeElement.getAttribute('role')"); got != "alert" {
		t.Errorf("the focus is on %q", got)
	}
	v.Click("Give an address.")
	if got := browser.Evaluate[string](v, "document.activeElement.id"); got != "value" {
		t.Errorf("the link leads to %q", got)
	}
	described := browser.Evaluate[string](v, "document.activeElement.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent.trim()).join('|')")
	if described != "One that works.|Error: Give an address." {
		t.Errorf("the field is described by %q", described)
	}
}

func TestACountdownHoldsItsButton(t *testing.T) {
	url, posted := serve(t, func(p *ui.Page) []templ.Component {
		return []templ.Component{
			ui.Title("Wait", ""),
			with(ui.Form("/"), ui.Countdown(*p, ui.CountdownInput{Until: p.Now.Add(2 * time.Second), Text: "Again in " + ui.Hole + ".", Done: "You can ask now.", Enables: "again"}), sendButton("again")),
		}
	})
	v := browser.New(t, browser.Options{})
	v.Open(url)
	v.Await("Again in")
	browser.Evaluate[any](v, "document.getElementById('again').click()")
	v.Await("You can ask now.")
	if posted.Load() != 0 {
		t.Error("the button sent before its time")
	}
	v.Click("Send")
	v.AwaitHeading("Done")
	if posted.Load() != 1 {
		t.Errorf("posted %d times", posted.Load())
	}
}

func TestWithoutTheScriptTheButtonIsNotHeld(t *testing.T) {
	url, posted := serve(t, func(p *ui.Page) []templ.Component {
		return []templ.Component{
			ui.Title("Wait", ""), ui.Reference(*p, "CS-7K3M-9QXT-2V"),
			with(ui.Form("/"), ui.Countdown(*p, ui.CountdownInput{Until: p.Now.Add(time.Hour), Text: "Again in " + ui.Hole + ".", Done: "Now.", Enables: "again"}), sendButton("again")),
		}
	})
	v := browser.New(t, browser.Options{NoScript: true})
	v.Open(url)
	v.Await("Again in 60 minutes.")
	if v.Has("Copy") {
		t.Error("a button that does nothing is shown")
	}
	v.Click("Send")
	v.AwaitHeading("Done")
	if posted.Load() != 1 {
		t.Errorf("posted %d times", posted.Load())
	}
}

func TestADoubleClickSendsOnce(t *testing.T) {
	url, posted := serve(t, func(*ui.Page) []templ.Component {
		return []templ.Component{ui.Title("Send", ""), with(ui.Form("/"), sendButton("send"))}
	})
	v := browser.New(t, browser.Options{})
	v.Open(url)
	v.AwaitHeading("Send")
	browser.Evaluate[any](v, "(() => { globalThis.visited = true; const b = document.getElementById('send'); b.click(); b.click(); b.click(); })()")
	v.Arrive()
	if posted.Load() != 1 {
		t.Errorf("posted %d times", posted.Load())
	}
}

func TestAReferenceIsCopied(t *testing.T) {
	url, _ := serve(t, func(p *ui.Page) []templ.Component {
		return []templ.Component{ui.Title("Notice", ""), ui.Reference(*p, "CS-7K3M-9QXT-2V")}
	})
	v := browser.New(t, browser.Options{})
	v.Open(url)
	browser.Evaluate[any](v, "(() => { navigator.clipboard.writeText = async (text) => { document.title = text } })()")
	v.Click("Copy")
	v.Await("Copied.")
	if got := browser.Evaluate[string](v, "document.title"); got != "CS-7K3M-9QXT-2V" {
		t.Errorf("copied %q", got)
	}
}

// The policy forbids styles and handlers in the page; none is there to be forbidden.
func TestPagesHaveNothingInline(t *testing.T) {
	url, _ := serve(t, nil)
	resp, err := http.Get(url + "/styleguide?lang=zh-CN")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{" style=", "<style", "<script>", " onclick", " onload", " onsubmit", "javascript:"} {
		if strings.Contains(string(page), no) {
			t.Errorf("%q stands in the page", no)
		}
	}
	if !strings.Contains(string(page), `<html lang="zh-CN">`) || resp.Header.Get("Content-Language") != "zh-CN" {
		t.Error("the language is not told")
	}
}
