package ui_test

import (
	"sync/atomic"
	"testing"

	"github.com/a-h/templ"

	"countersign.dev/apptest/browser"
	"countersign.dev/base/i18n"
	"countersign.dev/face/web/ui"
)

// While somebody types, what the page says of the message changes beside them, and nothing that they did is lost.
func TestALiveRegionLeavesTheReaderAlone(t *testing.T) {
	var state atomic.Value
	state.Store("Queued")
	url, _ := serve(t, func(p *ui.Page) []templ.Component {
		now := state.Load().(string)
		p.Live = now != "Refused"
		return []templ.Component{
			ui.Title("Code", ""),
			with(ui.Live(*p, "delivery"), ui.Banner(ui.Waiting, now), ui.Time(*p, p.Now)),
			with(ui.Live(*p, "form"), with(ui.Form("/"), ui.CodeField(*p, ui.CodeInput{Name: "code", Label: "Code " + now, Digits: 6}))),
		}
	})
	v := browser.New(t, browser.Options{})
	v.Open(url)
	v.Await("Queued")
	v.Type("Code Queued", "12 34")
	for _, next := range []string{"Handed over", "Refused"} {
		state.Store(next)
		v.Await(next)
		got := browser.Evaluate[string](v, "document.activeElement.id + ' ' + document.getElementById('code').value")
		if got != "code 12 34" {
			t.Errorf("after %s the field has %q", next, got)
		}
	}
	live := browser.Evaluate[bool](v, "document.getElementById('delivery').hasAttribute('data-live')")
	if live {
		t.Error("the region goes on asking when there is nothing to wait for")
	}
}

// waitingFor serves a page that waits for a code, until done: then another page stands at its address.
func waitingFor(t *testing.T, done *atomic.Bool) (url string) {
	url, _ = serve(t, func(p *ui.Page) []templ.Component {
		if done.Load() {
			return []templ.Component{ui.Title("Verified", "")}
		}
		p.Live = true
		return []templ.Component{
			ui.Title("Code", ""), with(ui.Live(*p, "delivery"), ui.Banner(ui.Waiting, "Queued")),
			with(ui.Form("/"), ui.CodeField(*p, ui.CodeInput{Name: "code", Label: "Code", Digits: 6})),
		}
	})
	return url
}

func TestWhatWasDoneElsewhereIsShown(t *testing.T) {
	var done atomic.Bool
	v := browser.New(t, browser.Options{})
	v.Open(waitingFor(t, &done))
	v.Await("Queued")
	browser.Evaluate[any](v, "globalThis.visited = true")
	done.Store(true)
	v.Arrive()
	v.AwaitHeading("Verified")
}

// Whoever is in the middle of typing is told, keeps what they typed, and goes on by themselves.
func TestNobodyIsTakenAwayWhileTyping(t *testing.T) {
	var done atomic.Bool
	v := browser.New(t, browser.Options{})
	v.Open(waitingFor(t, &done))
	v.Await("Queued")
	v.Type("Code", "12 34")
	done.Store(true)
	v.Await(i18n.Text(i18n.En, "ui.behind"))
	if got := browser.Evaluate[string](v, "document.activeElement.value + document.querySelectorAll('[data-live]').length"); got != "12 340" {
		t.Errorf("the field and the regions that still ask: %q", got)
	}
	v.Inspect("behind")
	v.Click(i18n.Text(i18n.En, "ui.reload"))
	v.AwaitHeading("Verified")
}

// held takes the clock of a page into the test's hands. asks() lets the time come at which the page would ask again, and tells
// whether it did.
const held = `(() => {
	const now = performance.now.bind(performance), cancel = clearTimeout, ask = fetch;
	let ahead = 0, hidden = false, due = null, asked = 0;
	performance.now = () => now() + ahead;
	globalThis.setTimeout = (f) => { due = f; };
	globalThis.clearTimeout = (id) => { due = null; cancel(id); };
	globalThis.fetch = (...what) => { asked++; return globalThis.refusal ? { status: refusal } : ask(...what); };
	Object.defineProperty(document, "hidden", { get: () => hidden });
	globalThis.later = (minutes) => { ahead += minutes * 60e3; };
	globalThis.look = (here) => { hidden = !here; document.dispatchEvent(new Event("visibilitychange")); };
	globalThis.asks = async () => {
		const before = asked, f = due;
		due = null;
		if (f) await f();
		return asked > before;
	};
	look(false);
	look(true);
})()`

func TestAPageAsksOnlyWhileSomebodyIsThere(t *testing.T) {
	v := browser.New(t, browser.Options{})
	v.Open(waitingFor(t, new(atomic.Bool)))
	v.Await("Queued")
	browser.Evaluate[any](v, held)
	for _, step := range []struct {
		name, does string
		asks       bool
	}{
		{"at first", "0", true},
		{"a while later", "later(9)", true},
		{"long after the reader did something", "later(2)", false},
		{"and then", "0", false},
		{"a key is pressed", "dispatchEvent(new Event('keydown'))", true},
		{"a while later", "later(9)", true},
		{"something is touched", "dispatchEvent(new Event('pointerdown'))", true},
		{"a while after that", "later(9)", true},
		{"another window is before it", "look(false)", false},
		{"it is looked at again", "later(60), look(true)", true},
	} {
		if got := browser.Evaluate[bool](v, "("+step.does+", asks())"); got != step.asks {
			t.Errorf("%s: asks is %v", step.name, got)
		}
	}
}

func TestAPageThatIsRefusedAsksNoMore(t *testing.T) {
	url := waitingFor(t, new(atomic.Bool))
	v := browser.New(t, browser.Options{})
	for _, status := range []string{"401", "403", "404", "410"} {
		v.Open(url)
		v.Await("Queued")
		browser.Evaluate[any](v, held)
		first := browser.Evaluate[bool](v, "(refusal = "+status+", asks())")
		again := browser.Evaluate[bool](v, "(dispatchEvent(new Event('keydown')), look(true), asks())")
		if !first || again {
			t.Errorf("%s: asks %v, then %v", status, first, again)
		}
		v.Await(i18n.Text(i18n.En, "ui.behind"))
	}
}

func TestAPageThatIsPutOffAsksAgain(t *testing.T) {
	v := browser.New(t, browser.Options{})
	v.Open(waitingFor(t, new(atomic.Bool)))
	v.Await("Queued")
	browser.Evaluate[any](v, held)
	for _, status := range []string{"429", "500", "503", "0"} { // 0: the answer of the server
		if !browser.Evaluate[bool](v, "(refusal = "+status+", asks())") {
			t.Errorf("it did not ask before %s", status)
		}
	}
}
