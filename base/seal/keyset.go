package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keys is one state of the keyset, ready for use. It does not change; a rotation makes another.
type keys struct {
	wrapping *keyset.Handle
	wrapper  tink.AEAD
	primary  uint32
	ids      []uint32 // the wrapping keys that can be used, the primary among them

	index, mac  []byte // never rotate: what they made rests in the database
	fingerprint []byte
}

// keysetFormat is the version of keysetJSON.
const keysetFormat = 1

// keysetJSON is the form on disk and in the setting.
type keysetJSON struct {
	Format   int             `json:"format"`
	Wrapping json.RawMessage `json:"wrapping"` // Tink's JSON form of a keyset
	Index    []byte          `json:"index"`
	MAC      []byte          `json:"mac"`
}

func newKeys() (*keys, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return assemble(handle, randomKey(), randomKey())
}

func randomKey() []byte {
	b := make([]byte, keySize)
	rand.Read(b) // never fails
	return b
}

// parseKeys reads what print wrote. Its errors do not quote the input.
func parseKeys(content []byte) (*keys, error) {
	var f keysetJSON
	if json.Unmarshal(content, &f) != nil {
		return nil, errors.New("seal: the keyset is not JSON of the known form")
	}
	if f.Format != keysetFormat {
		return nil, errors.New("seal: the keyset has a format that this version does not know")
	}
	if len(f.Index) != keySize || len(f.MAC) != keySize || bytes.Equal(f.Index, f.MAC) {
		return nil, fmt.Errorf("seal: the keyset needs two different secrets of %d bytes", keySize)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Wrapping)))
	if err != nil {
		return nil, errors.New("seal: the wrapping keys are not a Tink keyset")
	}
	return assemble(handle, f.Index, f.MAC)
}

func assemble(handle *keyset.Handle, index, mac []byte) (*keys, error) {
	wrapper, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("seal: the wrapping keys are not AEAD keys")
	}
	info := handle.KeysetInfo()
	k := &keys{wrapping: handle, wrapper: wrapper, primary: info.GetPrimaryKeyId(), index: index, mac: mac}
	for _, key := range info.GetKeyInfo() {
		if key.GetOutputPrefixType() != tinkpb.OutputPrefixType_TINK {
			return nil, errors.New("seal: a wrapping key does not write its id into what it wraps")
		}
		if key.GetStatus() == tinkpb.KeyStatusType_ENABLED {
			k.ids = append(k.ids, key.GetKeyId())
		}
	}
	k.fingerprint = sum(index, "fingerprint", string(sum(mac, "fingerprint")))
	return k, nil
}

func (k *keys) print() ([]byte, error) {
	var wrapping bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.wrapping, keyset.NewJSONWriter(&wrapping)); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(keysetJSON{keysetFormat, wrapping.Bytes(), k.index, k.mac}, "", "  ")
	return append(out, '\n'), err
}

// rotated returns the same keyset with one more wrapping key, which is the primary.
func (k *keys) rotated() (*keys, error) {
	m := keyset.NewManagerFromHandle(k.wrapping)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, err
	}
	return assemble(handle, k.index, k.mac)
}

func (k *keys) has(id uint32) bool { return slices.Contains(k.ids, id) }

// wrap encrypts a data key for its owner, and unwrap undoes it; the owner is authenticated, so that wrapped keys cannot be swapped.
func (k *keys) wrap(owner string, raw []byte) ([]byte, error) {
	return k.wrapper.Encrypt(raw, []byte(owner))
}

func (k *keys) unwrap(owner string, wrapped []byte) ([]byte, error) {
	raw, err := k.wrapper.Decrypt(wrapped, []byte(owner))
	if err != nil {
		return nil, ErrOpen
	}
	return raw, nil
}

// wrappedBy reads the id of the wrapping key: Tink puts it, big endian, behind a byte that is 1.
func wrappedBy(wrapped []byte) (id uint32, ok bool) {
	if len(wrapped) < 5 || wrapped[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(wrapped[1:]), true
}

// The owners that data keys are wrapped for.
func accountOwner(id string) string { return string(encode("seal/account/1", id)) }

var instanceOwner = string(encode("seal/instance/1"))
