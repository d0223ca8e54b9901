package verify

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"countersign.dev/base/seal"
)

// token is the secret of a link: the verification's id, by which it is found, and 128 random bits. Both parts are in
// the lower-case Crockford base32 of store.NewID.
type token string

const (
	crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	idLen     = 26
	tokenLen  = idLen + 26
)

var symbols = base32.NewEncoding(crockford).WithPadding(base32.NoPadding)

func newToken(verificationID string) token {
	var random [16]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	return token(verificationID + symbols.EncodeToString(random[:]))
}

// readToken takes a token from a link, whose case a mail program may have changed.
func readToken(typed string) (t token, ok bool) {
	if len(typed) != tokenLen {
		return "", false
	}
	t = token(strings.ToLower(typed))
	return t, strings.Trim(string(t), crockford) == ""
}

// verification is the id of the verification that the token says it is of.
func (t token) verification() string { return string(t[:idLen]) }

func (t token) hash(k *seal.Keyring) []byte { return k.MAC("verification-token", string(t)) }

// code derives the six digits that the token stands for, so that a page can show what rests nowhere. It takes twenty
// bits at a time and takes others where they are no code: a remainder would make some codes likelier.
func (t token) code(k *seal.Keyring) string {
	for block := 0; ; block++ {
		sum := k.MAC("link-code", string(t), strconv.Itoa(block))
		if n := binary.BigEndian.Uint32(sum) >> 12; n < codeCount {
			return fmt.Sprintf("%0*d", codeDigits, n)
		}
	}
}
