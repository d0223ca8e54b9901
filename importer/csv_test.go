package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
		size     int
		err      error
	}{
		{"plain", "a,b\nrest", []string{"a", "b"}, 4, nil},
		{"CRLF", "a,b\r\nrest", []string{"a", "b"}, 5, nil},
		{"the last line has no break", "a,b", []string{"a", "b"}, 3, nil},
		{"empty fields", ",,\n", []string{"", "", ""}, 3, nil},
		{"quoted", "\"a,\r\nb\",c\n", []string{"a,\r\nb", "c"}, 10, nil},
		{"doubled quotes", "\"\"\"a\"\"\",\"\"\r\n", []string{`"a"`, ""}, 12, nil},
		{"a CR that ends no line", "a\rb\n", []string{"a\rb"}, 4, nil},
		{"spaces belong to a field", " a , b \n", []string{" a ", " b "}, 8, nil},
		{"quote within a plain field", "a,b\"c\n", nil, 0, errQuote},
		{"space before a quote", "a, \"b\"\n", nil, 0, errQuote},
		{"text behind a quote", "a,\"b\"c\n", nil, 0, errQuote},
		{"CR behind a quote", "\"b\"\rc\n", nil, 0, errQuote},
		{"open quote", "a,\"b\nc\n", nil, 0, errQuote},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, size, err := cut([]byte(c.in), true, nil)
			if diff := cmp.Diff(c.want, texts(fields)); diff != "" || size != c.size || !errors.Is(err, c.err) {
				t.Errorf("%s size %d, error %v", diff, size, err)
			}
		})
	}
}

// However little of a record is there, it is never cut off too early.
func TestCutWaitsForTheRest(t *testing.T) {
	const in = "a,\"b\"\"\r\n,\",\"c\"\r\n"
	for n := range len(in) {
		if fields, _, err := cut([]byte(in[:n]), false, nil); !errors.Is(err, errShort) {
			t.Errorf("%q: %q, %v", in[:n], fields, err)
		}
	}
	if _, size, err := cut([]byte(in), false, nil); size != len(in) || err != nil {
		t.Errorf("size %d, %v", size, err)
	}
}

func texts(fields [][]byte) (out []string) {
	for _, f := range fields {
		out = append(out, string(f))
	}
	return out
}

// printRecord quotes every field, so that what was read can be read again.
func printRecord(fields []string) (out string) {
	for i, f := range fields {
		if i > 0 {
			out += ","
		}
		out += `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
	}
	return out + "\r\n"
}

func FuzzCut(f *testing.F) {
	for _, seed := range []string{"", "a,b\n", "\"a\"\"\n\",b\r\n", "a,\"b\nc\n", "\"a\" ,\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		cut1, size, err := cut([]byte(in), true, nil)
		if err != nil {
			return
		}
		fields := texts(cut1)
		if size > len(in) || size == 0 && in != "" {
			t.Fatalf("size %d of %d", size, len(in))
		}
		again, _, err := cut([]byte(printRecord(fields)), true, nil)
		if err != nil || !cmp.Equal(fields, texts(again)) {
			t.Fatalf("%q printed and read is %q, %v", fields, again, err)
		}
		if strings.Contains(in, "\r") || strings.Trim(in[:size], "\n") == "" {
			return // where the standard reader has rules of its own
		}
		standard, err := csv.NewReader(strings.NewReader(in[:size])).Read()
		if err != nil || !cmp.Equal(fields, standard) {
			t.Fatalf("read as %q, by the standard as %q, %v", fields, standard, err)
		}
	})
}

// A file is read to its end whatever is in it, each row has a line that the file has, and lines only grow.
func FuzzSources(f *testing.F) {
	f.Add("account,name\na1,\"Li\na2,b\n", true)
	f.Add("{\"account\":\"a1\"}\n\n{\"account\":[[\n", false)
	f.Add("\xef\xbb\xbfaccount\r\n\"a\"x\r\n\x00\r\n", true)
	f.Fuzz(func(t *testing.T, in string, isCSV bool) {
		format := NDJSON
		if isCSV {
			format = CSV
		}
		src, err := open(iotestReader(in), format)
		if err != nil {
			return
		}
		last, lines := 0, 1+strings.Count(in, "\n")
		for {
			r, err := src.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.line <= last || r.line > lines || r.values == nil && r.problems == nil {
				t.Fatalf("line %d after %d of %d", r.line, last, lines)
			}
			last = r.line
			r.row()
		}
	})
}

// iotestReader gives a text in small pieces.
func iotestReader(s string) io.Reader { return &pieces{bytes.NewBufferString(s)} }

type pieces struct{ *bytes.Buffer }

func (p *pieces) Read(b []byte) (int, error) { return p.Buffer.Read(b[:min(len(b), 7)]) }
