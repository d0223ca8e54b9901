package telephony_test

import (
	"strings"
	"testing"

	"countersign.dev/channel/telephony"
)

func TestSegments(t *testing.T) {
	for _, tc := range []struct {
		name string
		text string
		want int
	}{
		{"nothing still takes a message", "", 1},
		{"160 of the alphabet fit", strings.Repeat("a", 160), 1},
		{"161 do not", strings.Repeat("a", 161), 2},
		{"306 fit in two", strings.Repeat("a", 306), 2},
		{"307 do not", strings.Repeat("a", 307), 3},
		{"an extended character takes two places", strings.Repeat("a", 159) + "€", 2},
		{"one Chinese character makes all of it wide", "码" + strings.Repeat("a", 69), 1},
		{"and 71 do not fit", "码" + strings.Repeat("a", 70), 2},
		{"a character outside the plane takes two units", strings.Repeat("码", 69) + "😀", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := telephony.Segments(tc.text); got != tc.want {
				t.Errorf("%d segments, want %d", got, tc.want)
			}
		})
	}
}
