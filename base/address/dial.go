package address

import (
	"regexp"
	"strings"
	"unicode"
)

const digits = "0123456789"

// dialText is a phone number as typed, taken apart.
type dialText struct {
	number    string // digits, with a + before them in the international form
	extension string // not checked yet; empty when none was given
}

func (t dialText) international() bool { return t.number[0] == '+' }

// readDial takes apart what a person typed. country only picks the example in a fault's text.
func readDial(s, country string) (dialText, error) {
	if len(s) > maxInput {
		return dialText{}, refuse("phone-too-long", example(country))
	}
	s = strings.Trim(cutTel(plainDial(s)), " ")
	if s == "" {
		return dialText{}, refuse("phone-missing", example(country))
	}
	before, extension, found := cutExtension(s)
	switch {
	case strings.Contains(before, ";"), strings.Contains(extension, ";"):
		return dialText{}, refuse("phone-tel-parameter")
	case found && extension == "":
		return dialText{}, refuse("phone-extension-not-digits")
	}
	number, err := dialled(before, country)
	return dialText{number, extension}, err
}

// plainDial is [plain] for numbers: other scripts' digits become ASCII, each kind of space and dash becomes the ASCII one, and
// invisible characters go, as address books wrap numbers in bidirectional controls. Only digits of it get out, so nothing can hide.
func plainDial(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩': // Arabic-Indic, U+0660
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹': // Persian and Urdu, U+06F0
			return r - '۰' + '0'
		case isSpace(r):
			return ' '
		case unicode.Is(unicode.Pd, r), r == '−':
			return '-'
		case isInvisible(r):
			return -1
		}
		return r
	}, plain(s))
	return strings.Trim(s, " ")
}

// cutTel removes the scheme of a tel: URI (RFC 3966), and "Tel:" as people write it.
func cutTel(s string) string {
	const scheme = "tel:"
	if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		return s[len(scheme):]
	}
	return s
}

// extensionForm has a number that ends in a digit, then a word for "extension" and anything, or a sign for it and a digit. The
// signs are ambiguous: the x of 1-800-XEROX is none.
var extensionForm = regexp.MustCompile(`(?i)^(.*?\d\)?)[ ,;(-]*` +
	`(?:(?:extension|extn|ext|分机号?|分機號?|转|轉|доб) *[.:=]? *(.*?)|[x#,;] *[.:]? *(\d.*?)) *\)?$`)

func cutExtension(s string) (number, extension string, found bool) {
	m := extensionForm.FindStringSubmatch(s)
	if m == nil {
		return s, "", false
	}
	return m[1], m[2] + m[3], true
}

// dialled keeps of s what is dialled.
func dialled(s, country string) (string, error) {
	var kept strings.Builder
	letters, numerals := false, false
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			numerals = true
			kept.WriteRune(r)
		case r == '+' && kept.Len() == 0:
			kept.WriteRune(r)
		case unicode.IsLetter(r):
			letters = true
		case !strings.ContainsRune(" -./()", r):
			return "", refuse("phone-not-a-number", example(country))
		}
	}
	switch {
	case !numerals:
		return "", refuse("phone-not-a-number", example(country))
	case letters:
		return "", refuse("phone-letters", example(country))
	}
	return kept.String(), nil
}
