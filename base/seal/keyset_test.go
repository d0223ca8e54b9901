package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

func printed(t testing.TB, k *keys) []byte {
	t.Helper()
	content, err := k.print()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func madeKeys(t testing.TB) *keys {
	t.Helper()
	k, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// altered prints k with some members of the JSON replaced.
func altered(t *testing.T, k *keys, members map[string]any) []byte {
	t.Helper()
	var f map[string]any
	if err := json.Unmarshal(printed(t, k), &f); err != nil {
		t.Fatal(err)
	}
	for name, v := range members {
		f[name] = v
	}
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tinkJSON(t *testing.T, template *tinkpb.KeyTemplate) json.RawMessage {
	t.Helper()
	handle, err := keyset.NewHandle(template)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&out)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestParseKeysRefuses(t *testing.T) {
	k := madeKeys(t)
	tests := map[string][]byte{
		"nothing":               nil,
		"a text":                []byte("secret-canary"),
		"half a file":           printed(t, k)[:100],
		"two files":             append(printed(t, k), printed(t, k)...),
		"a newer format":        altered(t, k, map[string]any{"format": 2}),
		"no index secret":       altered(t, k, map[string]any{"index": nil}),
		"a short MAC secret":    altered(t, k, map[string]any{"mac": k.mac[:31]}),
		"one secret for both":   altered(t, k, map[string]any{"mac": k.index}),
		"no wrapping keys":      altered(t, k, map[string]any{"wrapping": map[string]any{}}),
		"wrapping keys no keys": altered(t, k, map[string]any{"wrapping": "secret-canary"}),
		"a MAC keyset":          altered(t, k, map[string]any{"wrapping": tinkJSON(t, mac.HMACSHA256Tag256KeyTemplate())}),
		"keys without an id":    altered(t, k, map[string]any{"wrapping": tinkJSON(t, aead.AES256GCMNoPrefixKeyTemplate())}),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseKeys(content)
			if err == nil {
				t.Fatal("was accepted")
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the input: %v", err)
			}
		})
	}
}

func TestWrapBindsTheOwner(t *testing.T) {
	k := madeKeys(t)
	raw := randomKey()
	wrapped, err := k.wrap(accountOwner("S-1"), raw)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := wrappedBy(wrapped); !ok || id != k.primary {
		t.Errorf("wrapped by %d, the primary is %d", id, k.primary)
	}
	if got, err := k.unwrap(accountOwner("S-1"), wrapped); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("round trip: %v", err)
	}
	for _, owner := range []string{accountOwner("S-2"), accountOwner(""), instanceOwner, "S-1", ""} {
		if _, err := k.unwrap(owner, wrapped); err != ErrOpen {
			t.Errorf("owner %q: got %v, want ErrOpen", owner, err)
		}
	}
	for i := range wrapped {
		changed := bytes.Clone(wrapped)
		changed[i] ^= 0x40
		if _, err := k.unwrap(accountOwner("S-1"), changed); err != ErrOpen {
			t.Errorf("byte %d changed: got %v, want ErrOpen", i, err)
		}
	}
}

func TestUnwrapOfWhatIsNoKey(t *testing.T) {
	k := testKeyring(t)
	for _, wrapped := range [][]byte{nil, {}, {1, 2, 3}, {2, 0, 0, 0, 0, 1}} {
		if _, err := k.Unwrap("S-1", wrapped); !errors.Is(err, ErrOpen) {
			t.Errorf("%x: got %v, want ErrOpen", wrapped, err)
		}
	}
}

func TestRotatedKeepsEverythingElse(t *testing.T) {
	before := madeKeys(t)
	wrapped, err := before.wrap(instanceOwner, randomKey())
	if err != nil {
		t.Fatal(err)
	}
	after, err := before.rotated()
	if err != nil {
		t.Fatal(err)
	}
	if after.primary == before.primary || len(after.ids) != 2 || !after.has(before.primary) {
		t.Errorf("keys %v with primary %d, before %v", after.ids, after.primary, before.ids)
	}
	if !bytes.Equal(after.fingerprint, before.fingerprint) {
		t.Error("the fingerprint changed")
	}
	if _, err := after.unwrap(instanceOwner, wrapped); err != nil {
		t.Errorf("what the old key wrapped: %v", err)
	}
	if len(before.ids) != 1 {
		t.Error("the old state changed")
	}
}

func TestFingerprintDependsOnBothSecrets(t *testing.T) {
	k := madeKeys(t)
	for name, content := range map[string][]byte{
		"index": altered(t, k, map[string]any{"index": randomKey()}),
		"mac":   altered(t, k, map[string]any{"mac": randomKey()}),
	} {
		other, err := parseKeys(content)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(other.fingerprint, k.fingerprint) {
			t.Errorf("another %s secret has the same fingerprint", name)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	k := madeKeys(f)
	rotated, err := k.rotated()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(""))
	f.Add([]byte(`{"format":1,"wrapping":{},"index":"","mac":""}`))
	f.Add(printed(f, k))
	f.Add(printed(f, rotated))
	f.Fuzz(func(t *testing.T, content []byte) {
		first, err := parseKeys(content)
		if err != nil {
			return
		}
		second, err := parseKeys(printed(t, first))
		if err != nil {
			t.Fatalf("what was printed does not parse: %v", err)
		}
		if !bytes.Equal(printed(t, first), printed(t, second)) || !bytes.Equal(first.fingerprint, second.fingerprint) {
			t.Error("printing and parsing changed the keyset")
		}
	})
}
