package verify

import (
	"strings"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

func keyring(t *testing.T) *seal.Keyring {
	t.Helper()
	keys, _, err := seal.Attach(t.Context(), apptest.Open(t, store.SQLite, nil), seal.Options{Dir: t.TempDir() + "/keys"})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

const sampleID = "01k2x8q4vdn5r3y6w7m9b1c2d4"

// The tokens of one verification differ in their random half alone, so its code's uniformity is the function's.
func TestCodesOfTokensAreUniform(t *testing.T) {
	keys := keyring(t)
	uniform(t, func() string { return newToken(sampleID).code(keys) })
}

func TestATokenStandsForOneCodeUnderOneKey(t *testing.T) {
	keys, others, same := keyring(t), keyring(t), 0
	for range 100 {
		token := newToken(sampleID)
		code := token.code(keys)
		if code != token.code(keys) || len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatal("a token stands for two codes, or for none")
		}
		if code == token.code(others) {
			same++
		}
	}
	if same > 1 {
		t.Errorf("%d of 100 codes do not depend on the key", same)
	}
}

func TestATokenNamesItsVerification(t *testing.T) {
	for _, id := range []string{sampleID, store.NewID(time.Now())} {
		token, ok := readToken(string(newToken(id)))
		if !ok || token.verification() != id {
			t.Errorf("it names %q, %v", token, ok)
		}
	}
}

func TestReadToken(t *testing.T) {
	token := string(newToken(sampleID))
	for typed, want := range map[string]bool{
		token: true, strings.ToUpper(token): true,
		"": false, token[1:]: false, token + "0": false, token[:51] + "u": false, token[:51] + "/": false, token[:50] + "é": false,
		strings.Repeat("a", 1<<20): false,
	} {
		got, ok := readToken(typed)
		if ok != want || ok && string(got) != token {
			t.Errorf("%.60q reads as %q, %v", typed, got, ok)
		}
	}
}

func FuzzReadToken(f *testing.F) {
	f.Add(string(newToken(sampleID)))
	f.Add(strings.ToUpper(sampleID + sampleID))
	f.Fuzz(func(t *testing.T, typed string) {
		token, ok := readToken(typed)
		if !ok {
			return
		}
		if again, ok := readToken(string(token)); !ok || again != token {
			t.Fatalf("%q reads as %q, %v", token, again, ok)
		}
		if id := token.verification(); len(id) != idLen || strings.Trim(id, crockford) != "" {
			t.Fatalf("%q names the verification %q", token, id)
		}
	})
}
