package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// forms are the ways in which twelve bytes of a key could show up in a text.
func forms(key []byte) []string {
	part := key[3:15] // base64 groups of three bytes: aligned in the whole and in the part
	decimal := strings.Trim(fmt.Sprint(part), "[]")
	goSyntax := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}")
	return []string{
		string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)),
		base64.StdEncoding.EncodeToString(part), decimal, goSyntax, strings.ReplaceAll(decimal, " ", ","),
	}
}

func shows(text string, key []byte) bool {
	for _, form := range forms(key) {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestNothingPrintsAKey(t *testing.T) {
	ks := madeKeys(t)
	raw := randomKey()
	d, err := newDataKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	k := &Keyring{instance: d}
	k.keys.Store(ks)
	o := Options{Dir: "keys", Keyset: string(printed(t, ks))}
	secrets := [][]byte{raw, ks.index, ks.mac}

	type holder struct {
		Exported any
		hidden   any
		key      DataKey
		ring     *Keyring
	}
	values := []any{d, &d, k, o, &o, []DataKey{d}, map[string]*Keyring{"k": k}, holder{d, k, d, k}, &holder{k, d, d, k}}
	for i, v := range values {
		for how, text := range everyText(t, v) {
			for _, key := range secrets {
				if shows(text, key) {
					t.Errorf("value %d (%T): %s shows a key", i, v, how)
				}
			}
		}
	}
}

func everyText(t *testing.T, v any) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		texts[verb] = fmt.Sprintf(verb, v)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	texts["JSON"] = string(encoded)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("key", "v", v)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("key", "v", v)
	texts["slog"] = logged.String()
	return texts
}

// The search above must be able to fail.
func TestShowsFindsAKey(t *testing.T) {
	key := randomKey()
	for how, text := range everyText(t, struct{ Key []byte }{key}) {
		if how != "%q" && !shows(text, key) {
			t.Errorf("%s: a planted key was not found", how)
		}
	}
}
