package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldAt is the line length that header fields are folded to (RFC 5322, 2.1.1: should be at most 78).
const foldAt = 76

// writeField writes a header field, folded at spaces. value has single spaces only, none first or last, and no word longer than a line
// may be.
func writeField(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteByte(':')
	column := len(name) + 1
	for word := range strings.SplitSeq(value, " ") {
		if column+1+len(word) > foldAt && column > len(name)+1 {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteByte(' ')
		b.WriteString(word)
		column += 1 + len(word)
	}
	b.WriteString("\r\n")
}

// unstructured returns free text as the value of a header field: as it is when it is plain, else in encoded words (RFC 2047).
func unstructured(s string) string {
	s = oneLine(s)
	if plain(s) {
		return s
	}
	return encodedWords(s)
}

// mailbox returns a name and an address in the form that From and To take. The name is quoted when it is plain; encoded words stand
// where a phrase may (RFC 2047, 5 (3)).
func mailbox(name, address string) string {
	name = oneLine(name)
	switch {
	case name == "":
		return address
	case plain(name):
		return quoted(name) + " <" + address + ">"
	}
	return encodedWords(name) + " <" + address + ">"
}

var quotedPairs = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quoted(s string) string { return `"` + quotedPairs.Replace(s) + `"` }

// oneLine makes s a single line of valid text: every control and line separator becomes a space, and what frames it goes.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}

// plain is true for text that reads the same after folding and unfolding: ASCII, single spaces, words that fit a line, and nothing
// that looks like an encoded word.
func plain(s string) bool {
	word := 0
	for i := range len(s) {
		c := s[i]
		if c == ' ' {
			word = 0
			if i > 0 && s[i-1] == ' ' {
				return false
			}
			continue
		}
		if word++; word > foldAt || c < ' ' || c > '~' {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}

// encodedWords returns s as base64 encoded words with a space between each two, which a reader leaves out (RFC 2047, 2 and 6.2). Each
// holds whole characters and fits a line with the name of a field before it.
func encodedWords(s string) string {
	const most = 39 // bytes: 64 characters encoded
	var b strings.Builder
	for s != "" {
		end := min(most, len(s))
		for end < len(s) && !utf8.RuneStart(s[end]) {
			end--
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("=?utf-8?b?")
		b.WriteString(base64.StdEncoding.EncodeToString([]byte(s[:end])))
		b.WriteString("?=")
		s = s[end:]
	}
	return b.String()
}
