package notice

import (
	"crypto/rand"
	"strings"

	"countersign.dev/base/fault"
)

// alphabet is Crockford's base32: no I, L, O and U, so that a reference survives being read aloud and retyped.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// drawn is how many random symbols a reference has: 45 bits.
const drawn = 9

// Reference is the short code on a notice, such as CS-7K3M-9QXT-2V: nine random symbols and a check symbol. The
// check finds every single wrong symbol and every swap of two.
type Reference string

// NewReference draws one.
func NewReference() Reference {
	var random [drawn]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	var symbols [drawn + 1]byte
	for i, b := range random {
		symbols[i] = b % 32 // 256 is a multiple of 32: no bias
	}
	symbols[drawn] = check(symbols[:drawn])
	return spell(symbols)
}

func spell(symbols [drawn + 1]byte) Reference {
	text := []byte("CS-....-....-..")
	at := 3
	for _, s := range symbols {
		if text[at] == '-' {
			at++
		}
		text[at] = alphabet[s]
		at++
	}
	return Reference(text)
}

// ParseReference reads a reference as a person may have typed it: any case, O for 0, I or L for 1, with or
// without CS and separators.
//
// Faults: Invalid "reference-malformed", field "reference".
func ParseReference(typed string) (Reference, error) {
	if len(typed) > 64 {
		return "", malformed()
	}
	bare := strings.NewReplacer("-", "", " ", "", "‑", "", "–", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.TrimSpace(typed)))
	if len(bare) == drawn+3 {
		bare = strings.TrimPrefix(bare, "CS")
	}
	if len(bare) != drawn+1 {
		return "", malformed()
	}
	var symbols [drawn + 1]byte
	for i := range bare {
		v := strings.IndexByte(alphabet, bare[i])
		if v < 0 {
			return "", malformed()
		}
		symbols[i] = byte(v)
	}
	if check(symbols[:drawn]) != symbols[drawn] {
		return "", malformed()
	}
	return spell(symbols), nil
}

func malformed() error { return fault.New(fault.Invalid, "reference-malformed").At("reference") }

// check is the sum of the symbols, each multiplied by another power of the generator of GF(32). Distinct
// non-zero weights are what makes it find each single error and each swap.
func check(symbols []byte) byte {
	var sum byte
	for _, s := range symbols {
		sum = double(sum ^ s)
	}
	return sum
}

// double multiplies by the generator in GF(32) with x⁵ + x² + 1.
func double(v byte) byte {
	v <<= 1
	if v&32 != 0 {
		v ^= 0b100101
	}
	return v
}
