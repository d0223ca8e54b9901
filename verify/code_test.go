package verify

import (
	"math"
	"strings"
	"testing"
)

func TestCodesAreUniform(t *testing.T) { uniform(t, newCode) }

// uniform fails unless each digit is as likely as any other in each place of a code. The bound is that of p = 10⁻⁶ for
// nine degrees of freedom: a right generator fails once in 170,000 runs.
func uniform(t *testing.T, draw func() string) {
	t.Helper()
	const drawn, bound = 100_000, 43.8
	var seen [6][10]float64
	for range drawn {
		for place, digit := range draw() {
			seen[place][digit-'0']++
		}
	}
	for place, counts := range seen {
		chi := 0.0
		for _, n := range counts {
			chi += math.Pow(n-drawn/10, 2) / (drawn / 10)
		}
		if chi > bound {
			t.Errorf("place %d: chi-square %.1f, more than %.1f: %v", place, chi, bound, counts)
		}
	}
}

// The bound of the draw is the number of codes, and every number prints as six digits: with that, each code from
// 000000 to 999999 is reachable.
func TestEveryCodeIsReachable(t *testing.T) {
	if codes.Int64() != 1_000_000 {
		t.Fatalf("codes are drawn below %v", codes)
	}
	lowest, highest := false, false
	for range 2_000_000 {
		code := newCode()
		lowest = lowest || code < "000010"
		highest = highest || code > "999989"
		if lowest && highest {
			return
		}
	}
	t.Error("two million draws reached neither end of the range")
}

func TestReadCodeTakesWhatPeoplePaste(t *testing.T) {
	for typed, want := range map[string]string{
		"123456": "123456", " 123 456 ": "123456", "123-456": "123456", "１２３４５６": "123456", "12\u00a034　56": "123456", "123\u2009456": "123456", "123–456": "123456",
		"": "", "12345": "", "1234567": "", "abcdef": "", "12345\x00": "", "12345६": "",
	} {
		code, ok := readCode(typed)
		if ok != (want != "") || ok && code != want {
			t.Errorf("%q reads as %q, %v", typed, code, ok)
		}
	}
}

func FuzzReadCode(f *testing.F) {
	f.Add("123 456")
	f.Add("１２３-456")
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := readCode(typed)
		if !ok {
			return
		}
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q is no code", code)
		}
		if again, ok := readCode(code); !ok || again != code {
			t.Fatalf("%q does not read as itself", code)
		}
	})
}
