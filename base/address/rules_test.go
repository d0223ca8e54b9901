package address

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

// refusal is an input and the rule that it breaks.
type refusal struct{ in, rule string }

func (r refusal) check(t *testing.T, err error, field string) {
	t.Helper()
	if !fault.Is(err, r.rule) {
		t.Errorf("%.80q: %v, want %s", r.in, err, r.rule)
		return
	}
	e := fault.From(err)
	if e.Kind != fault.Invalid || e.Field != field {
		t.Errorf("%.80q: kind %v, field %q", r.in, e.Kind, e.Field)
	}
	if e.Unwrap() != nil {
		t.Errorf("%.80q: has a cause, which may quote the input: %v", r.in, e.Unwrap())
	}
}

func TestEveryRuleHasACase(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range slices.Concat(refusedEmails, refusedExtensions) {
		covered[c.rule] = true
	}
	for _, c := range refusedPhones {
		covered[c.rule] = true
	}
	if got, want := slices.Sorted(maps.Keys(covered)), rulesInSource(t); !slices.Equal(got, want) {
		t.Errorf("cases for %v, rules %v", got, want)
	}
}

var entry = regexp.MustCompile(`(?m)^"fault\.([a-z0-9-]+)" = `)

func TestEveryRuleHasItsTexts(t *testing.T) {
	want := rulesInSource(t)
	for _, l := range i18n.Locales() {
		file, err := os.ReadFile(filepath.Join("..", "i18n", "catalog", string(l), "fault-address.toml"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range entry.FindAllSubmatch(file, -1) {
			got = append(got, string(m[1]))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: texts for %v, rules %v", l, got, want)
		}
	}
}

// Every text shows an example and is filled in completely, with examples alone and nothing of what was typed.
func TestTextsOfRefusals(t *testing.T) {
	examples := map[any]bool{example(""): true}
	for region := range phonenumbers.GetSupportedRegions() {
		examples[example(region)] = true
	}
	shown := regexp.MustCompile(`example\.com|\+\d{1,3} ?\d| 12[.。]`)
	for _, err := range allRefusals() {
		for _, arg := range fault.From(err).Args {
			if !examples[arg] {
				t.Errorf("%v: argument %v is no example", err, arg)
			}
		}
		for _, l := range i18n.Locales() {
			if text := fault.Text(l, err); !shown.MatchString(text) || strings.Contains(text, "%!") || strings.Contains(text, "%[") {
				t.Errorf("%v, %s: %q", err, l, text)
			}
		}
	}
}

func allRefusals() []error {
	var errs []error
	for _, c := range refusedEmails {
		_, err := ParseEmail(c.in)
		errs = append(errs, err)
	}
	for _, c := range refusedPhones {
		_, err := ParsePhone(c.in, c.country)
		errs = append(errs, err)
	}
	for _, c := range refusedExtensions {
		_, alone := ParsePhoneParts("+44 20 7946 0000", c.in, "")
		_, twice := ParsePhoneParts("+44 20 7946 0000 ext. 1", c.in, "")
		errs = append(errs, cmp.Or(alone, twice), twice)
	}
	return errs
}

// rulesInSource returns the ids that this package's code names, sorted.
func rulesInSource(t *testing.T) []string {
	t.Helper()
	id := regexp.MustCompile(`^(email|phone)-[a-z0-9-]+$`)
	found := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && id.MatchString(s) {
					found[s] = true
				}
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

func TestLogsGetNoAddress(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	p, err := ParsePhone("+44 20 7946 0000", "")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("sent", "to", mustEmail(t, "m.li@example.com"), "phone", p)
	for _, secret := range []string{"m.li", "example.com", "7946", "GB"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log has %q: %s", secret, out.String())
		}
	}
}
