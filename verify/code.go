package verify

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// codes is the number of codes there are: 000000 to 999999.
var codes = big.NewInt(1_000_000)

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
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u3000' || r == '\t' || r == '－' || r == '\u2011':
		default:
			return "", false
		}
	}
	return digits.String(), digits.Len() == 6
}

// A slot's live codes stand one behind the other, the newest last, each as the end of its life in microseconds
// and its keyed hash.
const (
	hashLen  = 32
	entryLen = 8 + hashLen
	liveMax  = 3
)

func hashCode(k *seal.Keyring, verificationID, code string) []byte {
	return k.MAC("verification-code", verificationID, code)
}

// addCode appends a code and keeps the newest three.
func addCode(live, hash []byte, expires time.Time) []byte {
	entry := binary.BigEndian.AppendUint64(nil, uint64(store.Micros(expires)))
	live = append(append(live[:len(live):len(live)], entry...), hash...)
	if over := len(live) - liveMax*entryLen; over > 0 {
		live = live[over:]
	}
	return live
}

// matches tells whether hash is that of a code still alive. Every entry is compared whatever came before.
func matches(k *seal.Keyring, live, hash []byte, now time.Time) bool {
	found := false
	for ; len(live) >= entryLen; live = live[entryLen:] {
		alive := store.Time(int64(binary.BigEndian.Uint64(live))).After(now)
		if k.Equal(live[8:entryLen], hash) && alive {
			found = true
		}
	}
	return found
}
