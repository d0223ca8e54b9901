package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// source is what the program's own code says about texts.
type source struct {
	literals map[string]bool // every string literal, and every id named in a page template
	faults   []call          // fault.New with a literal id
	texts    []call          // i18n.Text, or a page's own way to it, with a literal id
}

// call is one call that names a text.
type call struct {
	at   token.Position
	id   string
	args int // how many arguments fill the text; -1 when the call spreads a slice
}

func TestCodeNamesTextsThatExist(t *testing.T) {
	src := readSource(t)
	if len(src.literals) == 0 {
		t.Fatal("no source found")
	}
	for _, c := range src.faults {
		c.id = "fault." + c.id
		c.check(t)
	}
	for _, c := range src.texts {
		c.check(t)
	}
}

func (c call) check(t *testing.T) {
	t.Helper()
	for _, l := range Locales() {
		if !Has(l, c.id) {
			t.Errorf("%s: no text %s in %s", c.at, c.id, l)
			continue
		}
		if want := len(arguments(bookOf(l).entries[c.id])); c.args >= 0 && c.args != want {
			t.Errorf("%s: %s is given %d arguments, and the %s text has %d", c.at, c.id, c.args, l, want)
		}
	}
}

// A text counts as used when its id stands as a literal in the program, for a fault without "fault.", or when a literal that ends in
// a dot or hyphen starts the id ("notice.code." for "notice.code.subject"). The area alone is no such literal.
func TestEveryTextIsUsed(t *testing.T) {
	src := readSource(t)
	for _, id := range IDs(En) {
		if !src.uses(id) {
			t.Errorf("%s is not used", id)
		}
	}
}

func (s source) uses(id string) bool {
	area, rest, _ := strings.Cut(id, ".")
	if s.literals[id] || area == "fault" && s.literals[rest] {
		return true
	}
	for i := len(area) + 1; i < len(id); i++ {
		if (id[i] == '.' || id[i] == '-') && s.literals[id[:i+1]] {
			return true
		}
	}
	return false
}

func readSource(t *testing.T) source {
	t.Helper()
	src := source{literals: map[string]bool{}}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); path != root && (name[0] == '.' || name[0] == '_' || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		case strings.HasSuffix(path, ".html"):
			return src.readTemplate(path)
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			return src.readGo(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

var quotedID = regexp.MustCompile("[\"`]([a-z]+(?:\\.[a-z0-9-]+)+)[\"`]")

func (s *source) readTemplate(path string) error {
	raw, err := os.ReadFile(path)
	for _, m := range quotedID.FindAllSubmatch(raw, -1) {
		s.literals[string(m[1])] = true
	}
	return err
}

func (s *source) readGo(path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, ok := literal(n); ok {
				s.literals[text] = true
			}
		case *ast.CallExpr:
			s.readCall(set, n)
		}
		return true
	})
	return nil
}

// pageText are the methods by which pages say a text in their own language: the id comes first.
var pageText = map[string]bool{"T": true, "t": true}

func (s *source) readCall(set *token.FileSet, n *ast.CallExpr) {
	fn, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	pkg, _ := fn.X.(*ast.Ident)
	switch {
	case pageText[fn.Sel.Name]:
		if c, ok := readID(set, n, 0); ok && strings.Contains(c.id, ".") {
			s.texts = append(s.texts, c)
		}
	case pkg == nil:
	case pkg.Name == "fault" && fn.Sel.Name == "New":
		if c, ok := readID(set, n, 1); ok {
			s.faults = append(s.faults, c)
		}
	case pkg.Name == "i18n" && fn.Sel.Name == "Text":
		if c, ok := readID(set, n, 1); ok {
			s.texts = append(s.texts, c)
		}
	}
}

// readID reads a call whose argument number at is a literal id; those after it fill the text.
func readID(set *token.FileSet, n *ast.CallExpr, at int) (call, bool) {
	if len(n.Args) <= at {
		return call{}, false
	}
	id, ok := literal(n.Args[at])
	c := call{at: set.Position(n.Pos()), id: id, args: len(n.Args) - at - 1}
	if n.Ellipsis.IsValid() {
		c.args = -1
	}
	return c, ok
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
