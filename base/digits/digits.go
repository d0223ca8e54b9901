// Package digits reads codes as people type and paste them: in groups with spaces or hyphens, or in the full-width digits of
// a Chinese keyboard.
//
// It promises that what it accepts has the number of digits asked for, from 0 to 9 and nothing else. It leans on nothing.
package digits

import (
	"strings"
	"unicode"
)

// maxTyped is the length, in bytes, beyond which nothing is a code.
const maxTyped = 64

// Read returns the n digits that were typed.
func Read(typed string, n int) (code string, ok bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	var found strings.Builder
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9':
			found.WriteRune(r)
		case r >= '０' && r <= '９':
			found.WriteRune(r - '０' + '0')
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r): // dashes of every kind
		default:
			return "", false
		}
	}
	return found.String(), found.Len() == n
}
