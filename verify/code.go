package verify

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"countersign.dev/base/seal"
)

// codeCount is the number of codes there are: 000000 to 999999.
const (
	codeCount  = 1_000_000
	codeDigits = 6
)

var codes = big.NewInt(codeCount)

// newCode draws six uniform digits. rand.Int draws again rather than reduce, so no code is likelier than
// another, and its bound is exclusive, so 999999 occurs.
func newCode() string {
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return fmt.Sprintf("%0*d", codeDigits, n)
}

func hashCode(k *seal.Keyring, verificationID, code string) []byte {
	return k.MAC("verification-code", verificationID, code)
}
