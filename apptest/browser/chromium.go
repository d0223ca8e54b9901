package browser

import (
	"context"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"countersign.dev/apptest"
)

// chromium is the process that all visitors share.
var chromium struct {
	sync.Mutex
	ctx   context.Context // nil until somebody needs it
	agent string          // what it calls itself
	end   func()
}

// Runner is the tests of a package, as TestMain gets them.
type Runner interface{ Run() int }

// Around returns the tests of a package so that Chromium, if one of them needed it, has ended when they have:
//
//	func TestMain(m *testing.M) { os.Exit(browser.Around(m).Run()) }
func Around(tests Runner) Runner { return around{tests} }

type around struct{ Runner }

func (a around) Run() int {
	defer func() {
		chromium.Lock()
		defer chromium.Unlock()
		if chromium.end != nil {
			chromium.end()
		}
	}()
	return a.Runner.Run()
}

// running returns Chromium's context and what it calls itself; the first call starts it.
func running(t testing.TB) (ctx context.Context, agent string) {
	t.Helper()
	chromium.Lock()
	defer chromium.Unlock()
	if chromium.ctx == nil {
		start(t)
	}
	return chromium.ctx, chromium.agent
}

// leftOut are what only costs time here: it would ask servers, or draw a browser's own interface, a process for each window.
const leftOut = "Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"

func start(t testing.TB) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		apptest.Missing(t, "Chromium is not installed: apt-get install chromium fonts-noto-cjk")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-features", leftOut))
	allocator, endAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endTab := chromedp.NewContext(allocator)
	end := func() { endTab(); endAll() }
	if err := chromedp.Do(ctx); err != nil {
		end()
		t.Fatalf("Chromium does not start: %v", err)
	}
	version, err := cdp.Call(ctx, chromedp.FromContext(ctx).Browser, browser.GetVersion, cdp.Empty{})
	if err != nil {
		end()
		t.Fatalf("Chromium does not answer: %v", err)
	}
	chromium.ctx, chromium.end, chromium.agent = ctx, end, version.UserAgent
}
