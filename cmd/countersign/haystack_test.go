package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"mime/quotedprintable"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// A needle is one form in which something secret could lie about.
type needle struct {
	of    string // what is secret, for the report, which never shows it
	form  string
	bytes []byte
	alone bool // a number that means nothing inside a longer one
}

// A place is somewhere that whoever steals a copy can look.
type place struct {
	name    string
	content []byte
	prose   bool // text in which numbers stand apart from letters and from other numbers
}

// minNeedle is the length below which bytes are found anywhere.
const minNeedle = 5

// formsOf are a text and its unkeyed digests in the spellings of common formats.
func formsOf(of, text string) []needle {
	var all []needle
	for _, spelling := range spellings(text) {
		all = append(all, clearForms(of, spelling)...)
		all = append(all, digestForms(of, spelling)...)
	}
	return all
}

func spellings(text string) []string {
	all := []string{text, strings.ToLower(text), strings.ToUpper(text)}
	slices.Sort(all)
	return slices.Compact(all)
}

func clearForms(of, text string) []needle {
	raw := []byte(text)
	all := []needle{
		{of: of, form: "clear", bytes: raw},
		{of: of, form: "hex", bytes: []byte(hex.EncodeToString(raw))},
		{of: of, form: "HEX", bytes: bytes.ToUpper([]byte(hex.EncodeToString(raw)))},
		{of: of, form: "UTF-16 LE", bytes: utf16Bytes(text, binary.LittleEndian)},
		{of: of, form: "UTF-16 BE", bytes: utf16Bytes(text, binary.BigEndian)},
	}
	all = append(all, base64Forms(of, "base64", raw)...)
	for form, escaped := range map[string]string{
		"percent-encoded":  url.QueryEscape(text),
		"JSON escapes":     strings.Trim(strconv.QuoteToASCII(text), `"`),
		"quoted-printable": quotedPrintable(text),
	} {
		if escaped != text {
			all = append(all, needle{of: of, form: form, bytes: []byte(escaped)})
		}
	}
	return all
}

func quotedPrintable(text string) string {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // into memory
	_ = w.Close()
	return b.String()
}

func utf16Bytes(text string, order binary.ByteOrder) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, 0, 0)
		order.PutUint16(b[len(b)-2:], unit)
	}
	return b
}

// base64Forms are the digits that stay the same wherever the bytes stand in a longer run that is encoded.
func base64Forms(of, form string, raw []byte) (all []needle) {
	for name, encoding := range map[string]*base64.Encoding{form: base64.RawStdEncoding, form + " URL": base64.RawURLEncoding} {
		for before := range 3 {
			digits := encoding.EncodeToString(append(make([]byte, before), raw...))
			first, last := (8*before+5)/6, 8*(before+len(raw))/6
			all = append(all, needle{of: of, form: name, bytes: []byte(digits[first:last])})
		}
	}
	return all
}

var digests = map[string]func() hash.Hash{"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-512": sha512.New}

func digestForms(of, text string) (all []needle) {
	for name, digest := range digests {
		h := digest()
		_, _ = h.Write([]byte(text)) // a hash never fails
		sum := h.Sum(nil)
		all = append(all,
			needle{of: of, form: name, bytes: sum},
			needle{of: of, form: name + " hex", bytes: []byte(hex.EncodeToString(sum))},
			needle{of: of, form: name + " HEX", bytes: bytes.ToUpper([]byte(hex.EncodeToString(sum)))})
		all = append(all, base64Forms(of, name+" base64", sum)...)
	}
	return all
}

// A finder looks for many needles in one pass.
type finder struct {
	heads  []uint64 // a bit for each three bytes that a needle begins with
	byHead map[[4]byte][]needle
}

func newFinder(needles []needle) *finder {
	f := &finder{heads: make([]uint64, 1<<24/64), byHead: map[[4]byte][]needle{}}
	for _, n := range needles {
		if len(n.bytes) < minNeedle {
			continue
		}
		h := head(n.bytes)
		f.heads[h/64] |= 1 << (h % 64)
		f.byHead[[4]byte(n.bytes)] = append(f.byHead[[4]byte(n.bytes)], n)
	}
	return f
}

func head(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// search calls hit for each needle in the content with where it begins.
func (f *finder) search(content []byte, hit func(n needle, at int)) {
	for at := 0; at+minNeedle <= len(content); at++ {
		h := head(content[at:])
		if f.heads[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, n := range f.byHead[[4]byte(content[at:])] {
			if bytes.HasPrefix(content[at:], n.bytes) && !(n.alone && inNumber(content, at, len(n.bytes))) {
				hit(n, at)
			}
		}
	}
}

func inNumber(content []byte, at, length int) bool {
	return at > 0 && isDigit(content[at-1]) || at+length < len(content) && isDigit(content[at+length])
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isAlphanumeric(b byte) bool { return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'z' }

// find returns what was found, once for each secret, form and place.
func (f *finder) find(places []place) (found []string) {
	seen := map[string]bool{}
	for _, p := range places {
		f.search(p.content, func(n needle, _ int) {
			line := fmt.Sprintf("%s (%s) in %s", n.of, n.form, p.name)
			if !seen[line] {
				seen[line] = true
				found = append(found, line)
			}
		})
	}
	return found
}

// sixDigitRuns calls each for every code that a place shows: in prose a number of six digits by itself; in other bytes, where
// values stand one behind the other, any six digits in a row.
func (p place) sixDigitRuns(each func(code []byte)) {
	run := 0
	for i, b := range p.content {
		if !isDigit(b) {
			run = 0
			continue
		}
		if run++; run >= 6 && (!p.prose || p.standsAlone(i-5)) {
			each(p.content[i-5 : i+1])
		}
	}
}

func (p place) standsAlone(at int) bool {
	return (at == 0 || !isAlphanumeric(p.content[at-1])) && (at+6 == len(p.content) || !isAlphanumeric(p.content[at+6]))
}

// filesIn are all files below a folder.
func filesIn(t testing.TB, name, dir string) (places []place) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) { // a running server removes files
			return nil
		}
		short, _ := filepath.Rel(dir, path)
		places = append(places, place{name: name + "/" + short, content: content})
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return places
}

// The search itself can fail in every form and position.
func TestFinderFindsEveryForm(t *testing.T) {
	for _, text := range []string{"Quetzal.Feather@Example.COM", "金丝雀贸易", "+8613800138000"} {
		needles := formsOf("secret", text)
		f := newFinder(needles)
		for _, n := range needles {
			content := slices.Concat([]byte("…x"), n.bytes, []byte("x…"))
			if found := f.find([]place{{name: "here", content: content}}); !slices.Contains(found, "secret ("+n.form+") in here") {
				t.Errorf("%s in the form %q is not found: %q", text, n.form, found)
			}
		}
		if found := f.find([]place{{content: []byte("nothing of the kind, 00112233445566778899")}}); found != nil {
			t.Errorf("found in nothing: %q", found)
		}
	}
	padded := base64.StdEncoding.EncodeToString([]byte("in the middle: Quetzal.Feather@Example.COM, of a text"))
	if newFinder(formsOf("secret", "Quetzal.Feather@Example.COM")).find([]place{{content: []byte(padded)}}) == nil {
		t.Error("base64 in the middle of a text is not found")
	}
}

func TestSixDigitRuns(t *testing.T) {
	for _, c := range []struct {
		content string
		prose   bool
		want    string
	}{
		{"#482915.", true, "482915"},
		{`{"code":"482915"}`, true, "482915"},
		{"a482915", true, ""},
		{"a482915b1234567", false, "482915 123456 234567"},
		{"1234567 12345", true, ""},
		{"482915", true, "482915"},
	} {
		var got []string
		place{content: []byte(c.content), prose: c.prose}.sixDigitRuns(func(code []byte) { got = append(got, string(code)) })
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %q, want %q", c.content, got, c.want)
		}
	}
}
