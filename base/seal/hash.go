package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Index returns the blind index of a value: HMAC-SHA-256, 32 bytes, the same for the same domain and value for as long as the
// database lives. It is what equality look-ups use in place of the value; fold the value (case, spacing) before.
func (k *Keyring) Index(domain, value string) []byte {
	return sum(k.keys.Load().index, "index", domain, value)
}

// MAC returns a keyed hash of parts: HMAC-SHA-256, 32 bytes. Codes, tokens and API keys rest only in this form. Where one part ends
// and the next begins counts, so ("a", "bc") and ("ab", "c") differ.
func (k *Keyring) MAC(domain string, parts ...string) []byte {
	return sum(k.keys.Load().mac, append([]string{"mac", domain}, parts...)...)
}

// Equal compares two MACs in a time that tells nothing about where they differ. Two empty values are not equal: a hash that is
// missing must not match one that was never made.
func (k *Keyring) Equal(a, b []byte) bool {
	return len(a) > 0 && hmac.Equal(a, b)
}

func sum(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(encode(parts...))
	return h.Sum(nil)
}

// encode writes each part with its length before it, so that different parts never give the same bytes. The first part is always a
// constant of this package that says what the bytes are for.
func encode(parts ...string) []byte {
	size := 0
	for _, p := range parts {
		size += binary.MaxVarintLen32 + len(p)
	}
	b := make([]byte, 0, size)
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
