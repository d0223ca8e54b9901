package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ErrOpen says that a sealed value or a wrapped key does not open: another key, another place, or changed bytes. It does not say
// which, and has no content.
var ErrOpen = errors.New("seal: does not open")

const (
	keySize = 32 // bytes of every secret here: AES-256 and HMAC-SHA-256

	// A sealed value is this byte, a 12-byte nonce, the ciphertext and a 16-byte tag.
	sealedV1 = 1
	overhead = 1 + 12 + 16
)

// Place is where a sealed value rests. It is authenticated with the value, so that nobody who can write to the database can move a
// value to another account, row or column unnoticed. Row is the row's primary key; a key of several columns must be put together so
// that no two rows give the same text.
type Place struct {
	Table, Row, Column string
}

func (p Place) bytes() []byte {
	return encode("seal/value/1", p.Table, p.Row, p.Column)
}

// DataKey seals the values of one account, or of the instance. It is small, may be copied, and is safe for concurrent use. The zero
// DataKey seals nothing and opens nothing.
type DataKey struct {
	aead cipher.AEAD
}

func newDataKey(raw []byte) (DataKey, error) {
	if len(raw) != keySize {
		return DataKey{}, fmt.Errorf("seal: a data key has %d bytes", keySize)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return DataKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return DataKey{aead}, err
}

// Seal encrypts plain for a place. The result is 29 bytes longer than plain and different each time. Sealing with the zero DataKey is
// a defect of the caller and panics: there is no safe value to return.
func (d DataKey) Seal(p Place, plain []byte) []byte {
	if d.aead == nil {
		panic("seal: Seal called on the zero DataKey")
	}
	out := make([]byte, 1, overhead+len(plain))
	out[0] = sealedV1
	return d.aead.Seal(out, nil, plain, p.bytes())
}

// Open decrypts what Seal returned for the same place; the error is [ErrOpen].
func (d DataKey) Open(p Place, sealed []byte) ([]byte, error) {
	if d.aead == nil {
		return nil, fmt.Errorf("%w: Open called on the zero DataKey", ErrOpen)
	}
	if len(sealed) < overhead || sealed[0] != sealedV1 {
		return nil, ErrOpen
	}
	plain, err := d.aead.Open(nil, nil, sealed[1:], p.bytes())
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}
