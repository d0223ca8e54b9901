package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"countersign.dev/apptest"
	"countersign.dev/base/i18n"
)

// Inspect looks at the page in a wide window and on a phone, light and dark: axe finds nothing serious, nothing lies beyond the side, no
// text is missing, and with letters twice as large nothing is cut. Each look leaves a picture in the folder screenshots, named after the
// page. The window is afterwards as it was.
func (v *Visitor) Inspect(name string) {
	v.Helper()
	width, dark := v.o.Width, v.o.Dark
	for _, w := range []int{Wide, Phone} {
		v.Resize(w)
		for _, d := range []bool{false, true} {
			v.Darken(d)
			look := fmt.Sprintf("%s-%d-%s", name, w, map[bool]string{false: "light", true: "dark"}[d])
			v.Screenshot(look)
			v.object(look, v.Axe(), "axe")
		}
		look := fmt.Sprintf("%s-%d", name, w)
		v.object(look, v.Beyond(), "beyond the side")
		v.enlarge("200%")
		if findings := append(v.Cut(), v.Beyond()...); len(findings) > 0 {
			v.Screenshot(look + "-large")
			v.object(look+" at 200 %", findings, "cut or beyond the side")
		}
		v.enlarge("")
	}
	v.object(name, v.Untranslated(), "no text")
	v.Resize(width)
	v.Darken(dark)
}

func (v *Visitor) object(look string, findings []string, what string) {
	v.Helper()
	for _, one := range findings {
		v.Errorf("%s (%s): %s: %s", look, v.URL().Path, what, one)
	}
}

// Language is what the page says that it is written in.
func (v *Visitor) Language() string { return Evaluate[string](v, "document.documentElement.lang") }

func (v *Visitor) enlarge(size string) {
	v.Helper()
	Evaluate[chromedp.Void](v, fmt.Sprintf("document.documentElement.style.fontSize = %q", size))
}

// axe is the source of axe-core.
var axe = sync.OnceValues(func() (string, error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(root, "apptest", "browser", "axe", "node_modules", "axe-core", "axe.min.js"))
	return string(source), err
})

// root is the folder of the module.
func root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", os.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// NeedsAxe ends the test where axe-core is not installed, see [apptest.Missing].
func NeedsAxe(t testing.TB) {
	t.Helper()
	if _, err := axe(); err != nil {
		apptest.Missing(t, "axe-core is not installed: npm ci --prefix apptest/browser/axe")
	}
}

// runAxe answers with what is serious or critical, as lines.
const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations
	.filter((v) => ["serious", "critical"].includes(v.impact))
	.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " "))))`

// Axe returns what axe-core finds serious or critical on the page as it is now. It runs scripts, so it is not for [Options.NoScript].
func (v *Visitor) Axe() []string {
	v.Helper()
	NeedsAxe(v)
	if !Evaluate[bool](v, "typeof axe === 'object'") {
		source, err := axe()
		v.must(err)
		Evaluate[chromedp.Void](v, source)
	}
	return Evaluate[[]string](v, runAxe)
}

// Beyond returns what lies beyond the right side of the window, if it can be scrolled to.
func (v *Visitor) Beyond() []string {
	v.Helper()
	return Evaluate[[]string](v, fmt.Sprintf(`(() => {
		const width = %d;
		if (document.documentElement.scrollWidth <= width) return [];
		const beyond = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 1);
		return beyond.slice(-5).map((e) => e.outerHTML.slice(0, 160));
	})()`, v.o.Width))
}

// Cut returns the elements that hide a part of their own text.
func (v *Visitor) Cut() []string {
	v.Helper()
	return Evaluate[[]string](v, `[...document.body.querySelectorAll("*")].filter((e) => {
		const style = getComputedStyle(e), box = e.getBoundingClientRect();
		if (!e.innerText || box.width <= 1 || box.height <= 1 || style.visibility === "hidden") return false;
		const hides = (overflow) => overflow === "hidden" || overflow === "clip";
		return hides(style.overflowX) && e.scrollWidth > e.clientWidth + 1 || hides(style.overflowY) && e.scrollHeight > e.clientHeight + 1;
	}).map((e) => e.outerHTML.slice(0, 160))`)
}

// key is what the catalogue shows in place of a text that it does not have, or of an argument.
var key = sync.OnceValue(func() *regexp.Regexp {
	areas := map[string]bool{}
	var all []string
	for _, id := range i18n.IDs(i18n.En) {
		if area, _, _ := strings.Cut(id, "."); !areas[area] {
			areas[area] = true
			all = append(all, area)
		}
	}
	slices.Sort(all)
	return regexp.MustCompile(`(?:^|[^\w./@-])((?:` + strings.Join(all, "|") + `)\.[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*)(?:$|[^\w./@-])|%!\w?\(|%\[\d`)
})

// Untranslated returns the ids of texts that stand on the page in place of the texts: shown, told to a screen reader, or in the title.
func (v *Visitor) Untranslated() []string {
	v.Helper()
	said := Evaluate[string](v, `[document.title, document.body.innerText, ...[...document.querySelectorAll("*")].flatMap((e) =>
		["aria-label", "aria-description", "placeholder", "title", "alt", "content"].map((a) => e.getAttribute(a) || ""))].join("\n")`)
	return slices.DeleteFunc(key().FindAllString(said, -1), func(found string) bool {
		return strings.HasSuffix(strings.TrimSpace(found), ".example") // a host, not an id
	})
}

// Screenshot leaves a picture of the whole page in the folder screenshots of the module, which git ignores.
func (v *Visitor) Screenshot(name string) {
	v.Helper()
	yes := true
	shot := send(v, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, OptimizeForSpeed: &yes})
	dir, err := root()
	v.must(err)
	file := filepath.Join(dir, "screenshots", name+".png")
	v.must(os.MkdirAll(filepath.Dir(file), 0o755))
	v.must(os.WriteFile(file, shot.Data, 0o644))
}
