package i18n

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// A catalogue is a set of area files. Every key of a file is one text; it starts with the file's area and a dot, where the area is
// the file's name up to the first hyphen (fault-address.toml and fault.toml both hold "fault." keys):
//
//	"cli.ready" = "listening on %[1]s"
//
//	["fault.too-many-rows"]   # a plural: the form is chosen by argument arg; "=0" and "=1" name an exact number
//	arg = 1
//	one = "The file has %[1]d row too many."
//	other = "The file has %[1]d rows too many."
//
// Verbs always name their argument, since languages differ in word order.
//
//go:embed catalog/*/*.toml
var files embed.FS

// book is one language, ready for look-ups.
type book struct {
	entries map[string]entry
	printer *message.Printer
}

// entry is one text. A fixed one has no verbs and is answered from here; for the others the printer holds the compiled form.
type entry struct {
	text  string   // the singular text; empty for a plural
	forms []string // every wording of it, for the tests
	fixed bool
}

// The catalogues are part of the program and its tests load them, so a broken one cannot reach a user: panicking is right.
var books = sync.OnceValue(func() map[Locale]*book {
	b, err := load(files)
	if err != nil {
		panic("i18n: " + err.Error())
	}
	return b
})

func bookOf(l Locale) *book {
	all := books()
	if b, ok := all[l]; ok {
		return b
	}
	return all[En]
}

func load(fsys fs.FS) (map[Locale]*book, error) {
	all := make(map[Locale]*book)
	for _, l := range Locales() {
		b, err := loadBook(fsys, l)
		if err != nil {
			return nil, err
		}
		all[l] = b
	}
	return all, nil
}

func loadBook(fsys fs.FS, l Locale) (*book, error) {
	tag, err := language.Parse(string(l))
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, path.Join("catalog", string(l), "*.toml"))
	if err != nil {
		return nil, err
	}
	b := &book{entries: make(map[string]entry)}
	builder := catalog.NewBuilder()
	for _, name := range names {
		if err := b.add(builder, tag, fsys, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	b.printer = message.NewPrinter(tag, message.Catalog(builder))
	return b, nil
}

// add reads one area file into the book.
func (b *book) add(builder *catalog.Builder, tag language.Tag, fsys fs.FS, name string) error {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	var texts map[string]any
	if err := toml.Unmarshal(raw, &texts); err != nil {
		return err
	}
	area, _, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".toml"), "-")
	for id, value := range texts {
		if _, twice := b.entries[id]; twice {
			return fmt.Errorf("%q stands in another file too", id)
		}
		if !strings.HasPrefix(id, area+".") {
			return fmt.Errorf("%q does not start with %q", id, area+".")
		}
		e, msg, err := compile(value)
		if err != nil {
			return fmt.Errorf("%q: %w", id, err)
		}
		if err := builder.Set(tag, id, msg); err != nil {
			return fmt.Errorf("%q: %w", id, err)
		}
		b.entries[id] = e
	}
	return nil
}

func compile(value any) (entry, catalog.Message, error) {
	switch v := value.(type) {
	case string:
		return compileText(v)
	case map[string]any:
		return compilePlural(v)
	default:
		return entry{}, nil, errors.New("neither a text nor a plural")
	}
}

func compileText(text string) (entry, catalog.Message, error) {
	e := entry{text: text, forms: []string{text}}
	if plain := strings.ReplaceAll(text, "%%", ""); !strings.Contains(plain, "%") {
		e.fixed = true
		e.text = strings.ReplaceAll(text, "%%", "%")
	}
	return e, catalog.String(text), nil
}

// pluralForms are the exact numbers and the plural categories of CLDR that a plural may have, in the order they are tried.
var pluralForms = []string{"=0", "=1", "one", "other"}

func compilePlural(table map[string]any) (entry, catalog.Message, error) {
	arg, ok := table["arg"].(int64)
	if !ok || arg < 1 {
		return entry{}, nil, errors.New("a plural needs arg, the number of its argument")
	}
	var e entry
	var cases []any
	for _, form := range pluralForms {
		if text, ok := table[form].(string); ok {
			cases = append(cases, form, text)
			e.forms = append(e.forms, text)
		}
	}
	if _, ok := table["other"]; !ok || len(e.forms) != len(table)-1 {
		return entry{}, nil, errors.New("a plural has arg, other and perhaps one, =0 and =1, and nothing else")
	}
	return e, plural.Selectf(int(arg), "%d", cases...), nil
}
