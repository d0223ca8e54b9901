package address

import (
	"strings"
	"unicode"

	"countersign.dev/base/fault"
)

// maxInput is the longest input that is looked at, in bytes. It is several times what any valid value needs.
const maxInput = 1 << 10

// refuse returns the fault of a broken rule. args fill its text; they are never taken from the input.
func refuse(id string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, id, args...).At("value")
}

// plain undoes what input methods and copying do to an address without changing its meaning: full-width forms of ASCII
// (U+FF01–FF5E, as Chinese and Japanese keyboards give) become ASCII, and spaces around it go. Line breaks stay, wherever they
// stand, so that they are refused and not repaired.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - '！' + '!'
		}
		return r
	}, s)
	return strings.TrimFunc(s, isSpace)
}

func isSpace(r rune) bool { return r == '\t' || unicode.Is(unicode.Zs, r) }

// isControl reports whether r could end a line or a header: C0, C1, DEL, and Unicode's line and paragraph separators.
func isControl(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp)
}

// isInvisible reports whether r shows nothing or changes how its neighbours are shown: bidirectional controls, zero-width
// characters, variation selectors, fillers and tags. Two addresses that differ in these alone look the same to a person.
func isInvisible(r rune) bool {
	const braillePatternBlank = '\u2800'
	return r == braillePatternBlank ||
		unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
