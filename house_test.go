package countersign_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The house has floors, and a package may import any package of a lower floor.
var floors = []string{"base", "channel", "feature", "face", "cmd"}

// On its own floor a package may import only what stands here.
var sideways = map[string][]string{
	"base/address":   {"base/fault", "base/i18n"},
	"base/auth":      {"base/event", "base/fault", "base/i18n", "base/seal", "base/store"},
	"base/config":    {"base/fault", "base/i18n"},
	"base/event":     {"base/seal", "base/store"},
	"base/fault":     {"base/i18n"},
	"base/ratelimit": {"base/store"},
	"base/seal":      {"base/fault", "base/store"},
	"base/store":     {"base/fault"},

	"channel/mail":   {"channel/deliver"},
	"channel/outbox": {"channel/deliver"},

	"contact":  {"account"},
	"importer": {"account", "contact"},
	"notice":   {"account", "contact"},
	"verify":   {"account", "contact", "notice"},

	"face/api":    {"face/web"},
	"face/outbox": {"face/web"},
	"face/portal": {"face/web", "face/web/ui"},
	"face/web/ui": {"face/web"},

	"apptest/browser": {"apptest"},
	"apptest/scanner": {"apptest/browser"},
}

// Some packages are for a few importers only, wherever these stand.
var reserved = []struct {
	path, reason string
	by           []string // a folder, with what is below it
	tests        bool     // every test may import it
}{
	{"base/config", "packages take their own Options, so that they can be used and tested without the program's settings", []string{"cmd"}, false},
	{"apptest", "servers and databases for tests are no part of the program", []string{"bench", "apptest"}, true},
	{"github.com/chromedp", "a browser is no part of the program", []string{"apptest"}, true},
	{"github.com/jackc/pgx/v5", "features know one store.Tx, not two drivers", []string{"base/store", "apptest", "bench"}, true},
	{"modernc.org/sqlite", "features know one store.Tx, not two drivers", []string{"base/store", "apptest", "bench"}, true},
	{"github.com/knadh/koanf/v2", "settings come from base/config", []string{"base/config"}, false},
}

// exceptions are imports that break a rule above, each with its reason.
var exceptions = []struct {
	from, to, reason string
	inTests          bool // the import stands in a test
}{}

const module = "countersign.dev"

var update = flag.Bool("update", false, "rewrite the picture in docs/architecture.md")

// pkg is what `go list` says about a package.
type pkg struct {
	ImportPath, Dir, Name              string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// list returns the packages of the module by their path within it. A package that does not build is listed too: that is the
// compiler's to report.
var list = sync.OnceValues(func() (map[string]pkg, error) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Name,GoFiles,Imports,TestImports,XTestImports", "./...").Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go list: %s", exit.Stderr)
	}
	if err != nil {
		return nil, err
	}
	house := make(map[string]pkg)
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			return nil, err
		}
		house[short(p.ImportPath)] = p
	}
	return house, nil
})

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	house, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return house
}

func short(path string) string { return strings.TrimPrefix(path, module+"/") }

func below(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// floor returns the number of the floor that a package of the house stands on. Benches stand beside cmd: they run the program.
// apptest stands beside the features, of which the table gives it none.
func floor(path string) int {
	top, _, nested := strings.Cut(path, "/")
	switch {
	case top == "bench":
		top = "cmd"
	case !nested || !slices.Contains(floors, top):
		top = "feature"
	}
	return slices.Index(floors, top)
}

// offFloor says why a package of the house may not import another of it because of where they stand, or is empty.
func offFloor(from, to string) string {
	a, b := floor(from), floor(to)
	switch {
	case b > a:
		return "is on a higher floor, " + floors[b]
	case b == a && floors[a] != "cmd" && !slices.Contains(sideways[from], to):
		return "is on the same floor and not in the table"
	}
	return ""
}

// notFor says why a reserved package is not for an importer, or is empty.
func notFor(from, to string, inTests bool) string {
	for _, r := range reserved {
		mine := slices.ContainsFunc(r.by, func(folder string) bool { return below(from, folder) })
		if below(to, r.path) && !mine && (!inTests || !r.tests) {
			return "is reserved: " + r.reason
		}
	}
	return ""
}

// objection says why a package may not import another, of the house or from outside, or is empty.
func objection(house map[string]pkg, from, to string, inTests bool) string {
	_, ours := house[to]
	switch why := notFor(from, to, inTests); {
	case from == to: // a test in a package of its own
		return ""
	case why != "" || !ours || inTests && below(to, "apptest"):
		return why
	}
	return offFloor(from, to)
}

func TestHouseImports(t *testing.T) {
	house := packages(t)
	used := make([]bool, len(exceptions))
	check := func(from string, imports []string, inTests bool) {
		for _, path := range imports {
			to := short(path)
			why := objection(house, from, to, inTests)
			if why != "" && !excepted(from, to, inTests, used) {
				t.Errorf("%s imports %s (in tests: %t), which %s", from, to, inTests, why)
			}
		}
	}
	for from, p := range house {
		check(from, p.Imports, false)
		check(from, slices.Concat(p.TestImports, p.XTestImports), true)
	}
	for i, e := range exceptions {
		if !used[i] || e.reason == "" {
			t.Errorf("the exception %s → %s is not used or gives no reason", e.from, e.to)
		}
	}
}

func excepted(from, to string, inTests bool, used []bool) bool {
	for i, e := range exceptions {
		if e.from == from && e.to == to && e.inTests == inTests {
			used[i] = true
			return true
		}
	}
	return false
}

func TestHouseRulesCanFail(t *testing.T) {
	house := map[string]pkg{}
	for _, path := range []string{"base/config", "base/store", "base/fault", "channel/mail", "account", "contact", "face/api", "face/portal", "cmd/countersign", "bench/verify", "apptest", "apptest/browser"} {
		house[path] = pkg{}
	}
	for _, tc := range []struct {
		from, to string
		inTests  bool
		allowed  bool
	}{
		{"contact", "base/store", false, true},
		{"contact", "account", false, true},
		{"account", "contact", false, false},
		{"account", "contact", true, false},
		{"base/store", "account", false, false},
		{"base/fault", "base/store", false, false},
		{"base/store", "base/fault", false, true},
		{"channel/mail", "face/api", false, false},
		{"face/portal", "face/api", false, false},
		{"account", "base/config", false, false},
		{"account", "base/config", true, false},
		{"cmd/countersign", "base/config", false, true},
		{"cmd/countersign", "apptest", false, false},
		{"cmd/countersign", "apptest", true, true},
		{"bench/verify", "apptest", false, true},
		{"bench/verify", "cmd/countersign", false, true},
		{"base/store", "apptest", true, true},
		{"base/store", "apptest", false, false},
		{"apptest", "base/store", false, true},
		{"apptest", "account", false, false},
		{"account", "github.com/jackc/pgx/v5/pgconn", false, false},
		{"account", "github.com/jackc/pgx/v5", true, true},
		{"account", "net/http", false, true},
		{"face/portal", "github.com/chromedp/cdproto/page", false, false},
		{"face/portal", "apptest/browser", true, true},
	} {
		why := objection(house, tc.from, tc.to, tc.inTests)
		if (why == "") != tc.allowed {
			t.Errorf("%s → %s (in tests: %t): %q", tc.from, tc.to, tc.inTests, why)
		}
	}
}

// What the table names must exist, so that a rule does not outlive its package unnoticed.
func TestHouseTableIsCurrent(t *testing.T) {
	house := packages(t)
	imported, folders := make(map[string]bool), make(map[string]bool)
	for path, p := range house {
		for _, to := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			imported[short(to)] = true
		}
		for folder := path; folder != "."; folder = filepath.Dir(folder) {
			folders[folder] = true
		}
	}
	for from, all := range sideways {
		for _, path := range append([]string{from}, all...) {
			if _, ok := house[path]; !ok {
				t.Errorf("the table names %s, which does not exist", path)
			}
		}
	}
	for _, r := range reserved {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(imported)), func(path string) bool { return below(path, r.path) }) {
			t.Errorf("%s is reserved and nobody imports it", r.path)
		}
		for _, folder := range r.by {
			if !folders[folder] {
				t.Errorf("%s is reserved for %s, which does not exist", r.path, folder)
			}
		}
	}
}

func TestHousePackagesSayWhatTheyAreFor(t *testing.T) {
	house := packages(t)
	for path, p := range house {
		var docs []string
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc != nil && !ast.IsGenerated(file) {
				docs = append(docs, file.Doc.Text())
			}
		}
		switch {
		case len(p.GoFiles) == 0: // tests only
		case len(docs) != 1:
			t.Errorf("%s has %d package docs, not one", path, len(docs))
		case p.Name != "main" && !strings.HasPrefix(docs[0], "Package "+p.Name+" "):
			t.Errorf("the doc of %s does not begin with %q", path, "Package "+p.Name+" ")
		}
	}
}

// The picture stands between these lines of docs/architecture.md. Rewrite it with: go test -run TestHousePicture -update .
const (
	pictureBegin = "<!-- house: drawn by house_test.go -->\n"
	pictureEnd   = "<!-- house: end -->\n"
)

func TestHousePicture(t *testing.T) {
	const name = "docs/architecture.md"
	house := packages(t)
	want := draw(house)
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; the picture is\n%s", err, want)
	}
	before, rest, begins := strings.Cut(string(raw), pictureBegin)
	got, after, ends := strings.Cut(rest, pictureEnd)
	if !begins || !ends {
		t.Fatalf("%s lacks the lines\n%s%s", name, pictureBegin, pictureEnd)
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s shows another house; run go test -run TestHousePicture -update . for\n%s", name, want)
	}
	if err := os.WriteFile(name, []byte(before+pictureBegin+want+pictureEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// draw returns the program's import graph as a Mermaid block, the highest floor on top. An arrow that follows from others is left out.
// Benches and helpers of tests are no part of the program and are not drawn.
func draw(house map[string]pkg) string {
	graph := make(map[string][]string)
	for path, p := range house {
		if path == module || below(path, "apptest") || below(path, "bench") {
			continue
		}
		graph[path] = nil
		for _, to := range p.Imports {
			if _, ours := house[short(to)]; ours {
				graph[path] = append(graph[path], short(to))
			}
		}
	}
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TB\n")
	nodes := slices.Sorted(maps.Keys(graph))
	for i, name := range slices.Backward(floors) {
		fmt.Fprintf(&b, "  subgraph %s\n", name)
		for _, path := range nodes {
			if floor(path) == i {
				fmt.Fprintf(&b, "    %s[%s]\n", node(path), path)
			}
		}
		b.WriteString("  end\n")
	}
	for _, from := range nodes {
		for _, to := range direct(graph, from) {
			fmt.Fprintf(&b, "  %s --> %s\n", node(from), node(to))
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// node is a path as Mermaid takes it for a name.
func node(path string) string { return strings.ReplaceAll(path, "/", "_") }

// direct returns what from imports and cannot reach through another import, sorted.
func direct(graph map[string][]string, from string) []string {
	through := make(map[string]bool)
	var visit func(path string)
	visit = func(path string) {
		for _, to := range graph[path] {
			if !through[to] {
				through[to] = true
				visit(to)
			}
		}
	}
	for _, to := range graph[from] {
		visit(to)
	}
	left := slices.DeleteFunc(slices.Clone(graph[from]), func(to string) bool { return through[to] })
	slices.Sort(left)
	return left
}
