// Package telephony knows what is particular to text messages and calls. So far: how a text is cut into
// segments, since a sender pays for each and a code should arrive in one.
//
// The package leans on nothing.
package telephony

import (
	"strings"
	"unicode/utf16"
)

// The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1), whose characters take two
// places. The escape and the control characters but line feed and carriage return are left out.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€"
)

// Capacity of a message of one segment and of each segment of a longer one, whose header takes its share
// (3GPP TS 23.040, 9.2.3.24.1).
const (
	septetsAlone, septetsEach = 160, 153
	unitsAlone, unitsEach     = 70, 67
)

// Segments returns how many segments a text takes, at least 1.
func Segments(text string) int {
	length, alone, each := septets(text), septetsAlone, septetsEach
	if length < 0 {
		length, alone, each = len(utf16.Encode([]rune(text))), unitsAlone, unitsEach
	}
	if length <= alone {
		return 1
	}
	return (length + each - 1) / each
}

// septets returns a text's length in the GSM alphabet, or -1 when it holds another character and the whole
// message must go in UCS-2.
func septets(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			n++
		case strings.ContainsRune(gsmExtended, r):
			n += 2
		default:
			return -1
		}
	}
	return n
}
