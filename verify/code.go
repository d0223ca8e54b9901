package verify

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"countersign.dev/base/seal"
)

// codeCount is the number of codes there are: 000000 to 999999.
const codeCount = 1_000_000

var codes = big.NewInt(codeCount)

// newCode draws six uniform digits. rand.Int draws again rather than reduce, so no code is likelier than
// another, and its bound is exclusive, so 999999 occurs.
func newCode() string {
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return fmt.Sprintf("%06d", n)
}

// readCode takes a code as a person types or pastes it: with spaces, hyphens or full-width digits.
func readCode(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	var digits strings.Builder
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r >= '０' && r <= '９':
			digits.WriteRune(r - '０' + '0')
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r): // as our own pages group the digits, and as people do
		default:
			return "", false
		}
	}
	return digits.String(), digits.Len() == 6
}

func hashCode(k *seal.Keyring, verificationID, code string) []byte {
	return k.MAC("verification-code", verificationID, code)
}
