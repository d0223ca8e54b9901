package browser

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait for what a page does by itself.
const patience = 20 * time.Second

// The widths that pages are looked at in, in CSS pixels.
const (
	Wide  = 1280
	Phone = 390
)

// Options are how a visitor sees and handles pages.
type Options struct {
	Width    int    // of the window, in CSS pixels; 0: Wide. Below 600 it is a phone
	Dark     bool   // the visitor's system is dark
	Locale   string // what the browser asks for, as Accept-Language; "": en
	NoScript bool   // no script of a page runs
	Keyboard bool   // the visitor has no mouse
}

// Visitor is a person in front of a browser window, with cookies of their own.
type Visitor struct {
	testing.TB
	o          Options
	ctx        context.Context
	complaints complaints
}

// New opens a window for a new visitor; it closes when the test ends.
func New(t testing.TB, o Options) *Visitor {
	t.Helper()
	parent, agent := running(t)
	v := &Visitor{TB: t, o: o}
	ctx, end := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(v.complaints.hear))
	v.ctx = ctx
	t.Cleanup(func() {
		end()
		v.complaints.report(t)
	})
	v.must(chromedp.Do(ctx))
	send(v, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // beside other windows
	send(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: o.NoScript})
	if o.Locale == "" {
		o.Locale = "en"
	}
	send(v, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: o.Locale})
	if o.Width == 0 {
		o.Width = Wide
	}
	v.Resize(o.Width)
	v.Darken(o.Dark)
	return v
}

// run carries out an action within the visitor's patience.
func run[T any](v *Visitor, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// call has the browser carry out a command within the visitor's patience.
func call[P, R any](v *Visitor, command cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		err = fmt.Errorf("%s: %w", command.Method, err)
	}
	return result, err
}

// send is a call that must succeed.
func send[P, R any](v *Visitor, command cdp.Command[P, R], params P) R {
	v.Helper()
	result, err := call(v, command, params)
	v.must(err)
	return result
}

// do carries out what has no result and must succeed.
func (v *Visitor) do(actions ...chromedp.Action[chromedp.Void]) {
	v.Helper()
	_, err := run(v, chromedp.Steps(actions...))
	v.must(err)
}

// Evaluate returns what an expression of JavaScript is on the page; it works with [Options.NoScript] too. It is for what no person can see
// or do; the visitor's own eyes are [Visitor.Text] and its like.
func Evaluate[T any](v *Visitor, expression string) T {
	v.Helper()
	got, err := run(v, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	v.must(err)
	return got
}

func (v *Visitor) must(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

// Resize makes the window this wide.
func (v *Visitor) Resize(width int) {
	v.Helper()
	v.o.Width = width
	size := emulation.SetDeviceMetricsOverrideParams{Width: int64(width), Height: 900, DeviceScaleFactor: 1, Mobile: width < 600}
	send(v, emulation.SetDeviceMetricsOverride, size)
}

// Darken makes the visitor's system dark or light. Nothing moves in either.
func (v *Visitor) Darken(dark bool) {
	v.Helper()
	v.o.Dark = dark
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	send(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// Open goes to an address, as one does who types it.
func (v *Visitor) Open(address string) {
	v.Helper()
	v.do(chromedp.Navigate(address))
}

// Reload asks for the page again.
func (v *Visitor) Reload() {
	v.Helper()
	v.do(chromedp.Reload())
}

// Back goes back in the window's history.
func (v *Visitor) Back() {
	v.Helper()
	history := send(v, page.GetNavigationHistory, cdp.Empty{})
	if history.CurrentIndex == 0 {
		v.Fatal("there is no page to go back to")
	}
	last := history.Entries[history.CurrentIndex-1]
	send(v, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: last.ID})
	v.settled(fmt.Sprintf("location.href === %q", last.URL))
}

// URL is the address of the page.
func (v *Visitor) URL() *url.URL {
	v.Helper()
	u, err := url.Parse(Evaluate[string](v, "location.href"))
	v.must(err)
	return u
}

// Status is the HTTP status that the page came with.
func (v *Visitor) Status() int { return v.complaints.lastStatus() }

// Text is everything that the page shows, as it would be copied.
func (v *Visitor) Text() string {
	v.Helper()
	return Evaluate[string](v, shown)
}

const shown = "document.body ? document.body.innerText : ''"

// Await waits until the page shows a text.
func (v *Visitor) Await(text string) {
	v.Helper()
	v.until("the text “"+text+"”", func() bool {
		now, err := run(v, chromedp.Evaluate[string](shown)) // while pages change there is nothing to ask
		return err == nil && strings.Contains(now, text)
	})
}

// headings are those of the first level, once the page is there as a whole.
const headings = `document.readyState !== "complete" ? [] : [...document.querySelectorAll("h1")].map((h) => h.innerText.trim())`

// AwaitHeading waits until a page with this heading of the first level is there. It must have no other.
func (v *Visitor) AwaitHeading(text string) {
	v.Helper()
	var all []string
	v.until("the heading “"+text+"”", func() (there bool) {
		found, err := run(v, chromedp.Evaluate[[]string](headings))
		all = found
		return err == nil && slices.Contains(found, text)
	})
	if len(all) != 1 {
		v.Errorf("%s has %d headings of the first level: %q", v.URL().Path, len(all), all)
	}
}

// until asks until the answer is yes.
func (v *Visitor) until(what string, done func() bool) {
	v.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			v.Fatalf("%s never showed %s, but:\n%s", v.URL(), what, v.Text())
		}
		v.pause()
	}
}

// settled waits for a page that is there as a whole and for which a condition is true. While pages change there is nothing to ask, so
// errors are no answer.
func (v *Visitor) settled(condition string) {
	v.Helper()
	deadline := time.Now().Add(patience)
	for {
		there, err := run(v, chromedp.Evaluate[bool](condition+` && document.readyState === "complete"`))
		if err == nil && there {
			return
		}
		if time.Now().After(deadline) {
			v.Fatalf("the page never came: %v\n%s", err, v.Text())
		}
		v.pause()
	}
}

// pause is the time between two looks at something that happens by itself.
func (v *Visitor) pause() {
	v.Helper()
	select {
	case <-time.After(15 * time.Millisecond):
	case <-v.ctx.Done():
		v.Fatal(v.ctx.Err())
	}
}
