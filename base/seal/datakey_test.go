package seal

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func testDataKey(t testing.TB) DataKey {
	t.Helper()
	d, err := newDataKey(randomKey())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var here = Place{Table: "contact", Row: "S-1/email", Column: "value"}

func TestSealOpensInItsPlaceOnly(t *testing.T) {
	d := testDataKey(t)
	sealed := d.Seal(here, []byte("hello"))
	elsewhere := map[string]Place{
		"another table":          {"account", here.Row, here.Column},
		"another row":            {here.Table, "S-2/email", here.Column},
		"another column":         {here.Table, here.Row, "pending_value"},
		"text moved to table":    {"contactS", "-1/email", "value"},
		"text moved to column":   {"contact", "S-1/emai", "lvalue"},
		"row and column swapped": {here.Table, here.Column, here.Row},
		"no place":               {},
	}
	for name, p := range elsewhere {
		t.Run(name, func(t *testing.T) {
			if _, err := d.Open(p, sealed); err != ErrOpen {
				t.Errorf("got %v, want ErrOpen", err)
			}
		})
	}
	if got, err := d.Open(here, sealed); err != nil || string(got) != "hello" {
		t.Errorf("in its own place: %q, %v", got, err)
	}
	if _, err := testDataKey(t).Open(here, sealed); err != ErrOpen {
		t.Errorf("under another key: got %v, want ErrOpen", err)
	}
}

func TestSealRefusesEveryChange(t *testing.T) {
	d := testDataKey(t)
	sealed := d.Seal(here, []byte("hello"))
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			if _, err := d.Open(here, changed); err != ErrOpen {
				t.Fatalf("byte %d, bit %d: got %v, want ErrOpen", i, bit, err)
			}
		}
		if _, err := d.Open(here, sealed[:i]); err != ErrOpen {
			t.Fatalf("cut to %d bytes: got %v, want ErrOpen", i, err)
		}
	}
	if _, err := d.Open(here, append(bytes.Clone(sealed), 0)); err != ErrOpen {
		t.Errorf("one byte more: got %v, want ErrOpen", err)
	}
}

func TestSealNeverRepeatsItself(t *testing.T) {
	d := testDataKey(t)
	a, b := d.Seal(here, []byte("hello")), d.Seal(here, []byte("hello"))
	if bytes.Equal(a, b) {
		t.Error("the same value sealed twice gave the same bytes")
	}
	if len(a) != len("hello")+overhead {
		t.Errorf("sealed is %d bytes longer, the doc says %d", len(a)-len("hello"), overhead)
	}
}

func TestZeroDataKey(t *testing.T) {
	var d DataKey
	if _, err := d.Open(here, testDataKey(t).Seal(here, nil)); !errors.Is(err, ErrOpen) {
		t.Errorf("Open: got %v, want ErrOpen", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Seal did not panic")
		}
	}()
	d.Seal(here, []byte("hello"))
}

func TestDataKeyNeedsItsLength(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := newDataKey(make([]byte, n)); err == nil {
			t.Errorf("%d bytes made a key", n)
		}
	}
}

func TestSealProperties(t *testing.T) {
	d := testDataKey(t)
	part := rapid.StringN(0, 40, 200)
	places := rapid.Custom(func(t *rapid.T) Place {
		return Place{part.Draw(t, "table"), part.Draw(t, "row"), part.Draw(t, "column")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := places.Draw(t, "p"), places.Draw(t, "q")
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plain")
		sealed := d.Seal(p, plain)
		if got, err := d.Open(p, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("round trip: %x, %v", got, err)
		}
		if _, err := d.Open(q, sealed); (err == nil) != (p == q) {
			t.Fatalf("opened in %q what was sealed in %q: %v", q, p, err)
		}
	})
}

// Places made of the same text cut at other points are where a careless encoding collides.
func TestPlacesDoNotCollide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune{'a', 0, 1, 2, 0x80, '/'}), 0, 12, -1).Draw(t, "text")
		cut := func(label string) Place {
			i := rapid.IntRange(0, len(text)).Draw(t, label+" row")
			j := rapid.IntRange(i, len(text)).Draw(t, label+" column")
			return Place{text[:i], text[i:j], text[j:]}
		}
		p, q := cut("p"), cut("q")
		if bytes.Equal(p.bytes(), q.bytes()) != (p == q) {
			t.Fatalf("%q and %q encode alike", p, q)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	d, plain := testDataKey(b), []byte("emergency.contact@shop.example")
	b.ReportAllocs()
	for b.Loop() {
		d.Seal(here, plain)
	}
}

func BenchmarkOpen(b *testing.B) {
	d := testDataKey(b)
	sealed := d.Seal(here, []byte("emergency.contact@shop.example"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Open(here, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
