package seal

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// testKeyring returns a keyring without a database or a file.
func testKeyring(t testing.TB) *Keyring {
	t.Helper()
	ks, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	k := &Keyring{instance: testDataKey(t)}
	k.keys.Store(ks)
	return k
}

func TestIndex(t *testing.T) {
	k, other := testKeyring(t), testKeyring(t)
	index := k.Index("email", "m@shop.example")
	if len(index) != 32 {
		t.Errorf("%d bytes, want 32", len(index))
	}
	if !bytes.Equal(index, k.Index("email", "m@shop.example")) {
		t.Error("the same value gave another index")
	}
	different := map[string][]byte{
		"another value":   k.Index("email", "n@shop.example"),
		"another domain":  k.Index("phone", "m@shop.example"),
		"another cut":     k.Index("emailm", "@shop.example"),
		"another keyring": other.Index("email", "m@shop.example"),
		"a MAC":           k.MAC("email", "m@shop.example"),
	}
	for name, b := range different {
		if bytes.Equal(index, b) {
			t.Errorf("%s gave the same bytes", name)
		}
	}
}

func TestMACPartsDoNotCollide(t *testing.T) {
	k := testKeyring(t)
	parts := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune{'a', 0, 1, 2}), 0, 4, -1), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		p, q := parts.Draw(t, "p"), parts.Draw(t, "q")
		same := k.Equal(k.MAC("code", p...), k.MAC("code", q...))
		if same != slices.Equal(p, q) {
			t.Fatalf("%q and %q: equal is %v", p, q, same)
		}
	})
}

func TestEqual(t *testing.T) {
	k := testKeyring(t)
	a := k.MAC("code", "v-1", "123456")
	tests := []struct {
		name string
		a, b []byte
		want bool
	}{
		{"the same", a, k.MAC("code", "v-1", "123456"), true},
		{"another code", a, k.MAC("code", "v-1", "123457"), false},
		{"shorter", a, a[:31], false},
		{"one missing", a, nil, false},
		{"both missing", nil, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := k.Equal(tt.a, tt.b); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func BenchmarkMAC(b *testing.B) {
	k := testKeyring(b)
	b.ReportAllocs()
	for b.Loop() {
		k.MAC("code", "01jabcdefghjkmnpqrstvwxyz0", "123456")
	}
}
