package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/base/fault"
)

// read returns a line for each record: its line number, and its values or its problems.
func read(t *testing.T, in io.Reader, f Format) (all []string) {
	t.Helper()
	src, err := open(in, f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(r.line, " ", describe(r)))
	}
}

func describe(r record) string {
	var parts []string
	for _, p := range r.problems {
		parts = append(parts, strings.TrimSpace(p.ID+" "+p.Field))
	}
	if parts != nil {
		return strings.Join(parts, ", ")
	}
	for c, v := range r.values {
		if v != "" {
			parts = append(parts, columns[c]+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

func TestCSVRecords(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"plain", "account,name\na1,Li\na2,Mei\n", []string{"2 account=a1 name=Li", "3 account=a2 name=Mei"}},
		{"byte order mark", "\xef\xbb\xbfaccount\na1\n", []string{"2 account=a1"}},
		{"CRLF, no break at the end", "account,name\r\na1,Li\r\na2,Mei", []string{"2 account=a1 name=Li", "3 account=a2 name=Mei"}},
		{"header only", "account,name\n", nil},
		{"header in any case", " Account ,NAME\na1,Li\n", []string{"2 account=a1 name=Li"}},
		{"blank lines and rows of commas", "\naccount,name\n\na1,Li\n,\n\r\na2,\n", []string{"4 account=a1 name=Li", "7 account=a2"}},
		{"quoted newline", "account,name\na1,\"Li\nMei\"\na2,b\n", []string{"2 account=a1 name=Li\nMei", "4 account=a2 name=b"}},
		{"open quote", "account,name\na1,\"Li\na2,b\na3,c\n", []string{"2 import-quote", "3 account=a2 name=b", "4 account=a3 name=c"}},
		{
			"open quote that a later one ends", "account,name\na1,\"Li\na2,\"b\"\na3,c\n",
			[]string{"2 import-quote", "3 account=a2 name=b", "4 account=a3 name=c"},
		},
		{"text behind a quote", "account,name\na1,\"Li\" Mei\na2,b\n", []string{"2 import-quote", "3 account=a2 name=b"}},
		{"quote within a field", "account,name\na1,Li \"Mei\"\na2,b\n", []string{"2 import-quote", "3 account=a2 name=b"}},
		{"too few and too many fields", "account,name\na1\na2,b,c\na3,d\n", []string{"2 import-width", "3 import-width", "4 account=a3 name=d"}},
		{"NUL", "account,name\na1,L\x00i\n\x00\x00\na2,b\n", []string{"2 import-nul name", "3 import-width", "4 account=a2 name=b"}},
		{"not UTF-8", "account,name\na1,Li\xff\na2,b\n", []string{"2 import-utf8 name", "3 account=a2 name=b"}},
		{"two bad fields", "account,name\n\x00,\xff\n", []string{"2 import-nul account, import-utf8 name"}},
		{"10 MB in one field", "account,name\na1," + long + "\na2,b\n", []string{"2 import-line-too-long", "3 account=a2 name=b"}},
		{"10 MB in one quoted field", "account,name\na1,\"" + long + "\"\na2,b\n", []string{"2 import-line-too-long", "3 account=a2 name=b"}},
		{"10 MB at the end", "account,name\na1," + long, []string{"2 import-line-too-long"}},
		{"70 kB in one field", "account,name\na1," + long[:70_000] + "\na2,b\n", []string{"2 import-field-too-long name", "3 account=a2 name=b"}},
		{"a field of the greatest length", "account,name\na1,\"" + long[:maxField] + "\"\n", []string{"2 account=a1 name=" + long[:maxField]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(t, strings.NewReader(c.in), CSV)); diff != "" {
				t.Error(diff)
			}
			if len(c.in) > 1<<20 {
				return
			}
			if diff := cmp.Diff(c.want, read(t, iotestReader(c.in), CSV)); diff != "" {
				t.Errorf("in small pieces: %s", diff)
			}
		})
	}
}

// A quote that is left open over more than a record may hold costs its own line only.
func TestOpenQuoteOverManyLines(t *testing.T) {
	const rows = 200_000 // 2 MB
	got := read(t, io.MultiReader(strings.NewReader("account,name\na0,\"open\n"), lines(rows, "a%05d,bcd\n")), CSV)
	if len(got) != rows+1 || got[0] != "2 import-quote" || got[rows] != fmt.Sprintf("%d account=a%05d name=bcd", rows+2, rows-1) {
		t.Errorf("%d records, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// A record of many lines that does end, but too late, is no different.
func TestRecordOfTooManyLines(t *testing.T) {
	in := "account,name\na0,\"" + strings.Repeat("aa,b\n", maxLine/5) + "\"\nlast,c\n"
	got := read(t, strings.NewReader(in), CSV)
	if got[0] != "2 import-quote" || !strings.HasSuffix(got[len(got)-1], "account=last name=c") {
		t.Errorf("from %q to %q", got[0], got[len(got)-1])
	}
}

func TestWindowStaysSmall(t *testing.T) {
	for name, in := range map[string]io.Reader{
		"a field without an end":   io.MultiReader(strings.NewReader("account,name\na1,"), zeros(64<<20)),
		"a quote without an end":   io.MultiReader(strings.NewReader("account,name\na1,\""), lines(1_000_000, "a%d,bcd\n")),
		"a great number of fields": io.MultiReader(strings.NewReader("account\n"), strings.NewReader(strings.Repeat(",", 8<<20))),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWindow(in)
			src, err := newCSV(w)
			for err == nil {
				_, err = src.next()
			}
			if !errors.Is(err, io.EOF) || cap(w.buf) > 2*maxLine {
				t.Errorf("a window of %d bytes, %v", cap(w.buf), err)
			}
		})
	}
}

// zeros are n bytes of no use.
func zeros(n int64) io.Reader { return io.LimitReader(nothing{}, n) }

type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// lines are n lines, made as they are read.
func lines(n int, format string) io.Reader {
	r, w := io.Pipe()
	go func() {
		for i := range n {
			if _, err := fmt.Fprintf(w, format, i); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct{ name, in, want, field string }{
		{"empty file", "", "import-empty", ""},
		{"nothing but blank lines", "\n\r\n,,\n", "import-empty", ""},
		{"nothing but a mark", "\xef\xbb\xbf", "import-empty", ""},
		{"missing column", "name,email\nLi,m@example.com\n", "missing-column", "account"},
		{"no header", "a1,m.li@example.com\n", "missing-column", "account"},
		{"semicolons", "account;name\n", "missing-column", "account"},
		{"unknown column", "account,fax\n", "unknown-column", "fax"},
		{"slot of too high a rank", "account,email-6\n", "unknown-column", "email-6"},
		{"extension of an e-mail", "account,email_extension\n", "unknown-column", "email_extension"},
		{"unknown column that may be a value", "account,m.li@example.com\n", "unknown-column", "?"},
		{"unknown column that is a number", "account,13800138000\n", "unknown-column", "?"},
		{"column without a name", "account,\n", "unknown-column", "?"},
		{"column twice", "account,email,EMAIL\n", "import-column-twice", "email"},
		{"broken quote", "account,\"name\na1,b\n", "import-header", ""},
		{"too long", "account," + strings.Repeat("x", 2<<20), "import-header", ""},
		{"NUL", "account,na\x00me\n", "unknown-column", "?"},
		{"UTF-16", "\xff\xfea\x00c\x00c\x00", "import-encoding", ""},
		{"UTF-16, the other way round", "\xfe\xff\x00a\x00c\x00c", "import-encoding", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := open(strings.NewReader(c.in), CSV)
			if f := fault.From(err); !fault.Is(err, c.want) || f.Field != c.field || f.Kind != fault.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNDJSONRecords(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"empty file", "", nil},
		{
			"plain", `{"account":"a1","name":"Li","email-2":null}` + "\n" + `{ "phone-3_extension": "12", "Account": "a2" }`,
			[]string{"1 account=a1 name=Li", "2 account=a2 phone-3_extension=12"},
		},
		{
			"byte order mark, CRLF, blank lines", "\xef\xbb\xbf{\"account\":\"a1\"}\r\n\r\n \n{\"account\":\"a2\"}\r\n",
			[]string{"1 account=a1", "4 account=a2"},
		},
		{
			"not JSON", "{\"account\":\"a1\"\naccount\n[1]\n\"a\"\n{\"account\":\"a2\"}{}\n{}\n",
			[]string{
				"1 import-not-an-object", "2 import-not-an-object", "3 import-not-an-object", "4 import-not-an-object",
				"5 import-not-an-object", "6 ",
			},
		},
		{
			"values that are no texts", `{"phone":4420}` + "\n" + `{"name":{"a":[[[[]]]]}}` + "\n" + `{"name":true}` + "\n",
			[]string{"1 import-not-text phone", "2 import-not-text name", "3 import-not-text name"},
		},
		{"unknown keys", `{"fax":"1"}` + "\n" + `{"m@example.com":"1"}` + "\n", []string{"1 import-unknown-key fax", "2 import-unknown-key ?"}},
		{"key twice", `{"account":"a1","ACCOUNT":"a2"}`, []string{"1 import-key-twice account"}},
		{"NUL", "{\"account\":\"a\x00\"}\n" + `{"account":"a\u0000"}`, []string{"1 import-nul", "2 import-nul account"}},
		{"not UTF-8", "{\"account\":\"a\xff\"}\n{}", []string{"1 import-utf8", "2 "}},
		{"10 MB in one value", `{"name":"` + long + "\"}\n{}", []string{"1 import-line-too-long", "2 "}},
		{"70 kB in one value", `{"name":"` + long[:70_000] + "\"}\n{}", []string{"1 import-field-too-long name", "2 "}},
		{"deep", strings.Repeat("[", 1<<19) + "\n" + `{"name":` + strings.Repeat("[", 1<<19), []string{"1 import-not-an-object", "2 import-not-text name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(t, strings.NewReader(c.in), NDJSON)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInputThatBreaksOff(t *testing.T) {
	torn := errors.New("the connection is gone")
	for format, in := range map[Format]string{CSV: "account\na1\na2", NDJSON: "{\"account\":\"a1\"}\n{\"acc"} {
		src, err := open(io.MultiReader(strings.NewReader(in), failing{torn}), format)
		for err == nil {
			_, err = src.next()
		}
		if !errors.Is(err, torn) {
			t.Errorf("%s ends with %v", format, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
