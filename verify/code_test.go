package verify

import (
	"math"
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
