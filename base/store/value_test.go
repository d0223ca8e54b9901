package store

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^[0-7][0-9a-hjkmnp-tv-z]{25}$`)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	var ids []string
	for i := range 2000 {
		id := NewID(at.Add(time.Duration(i) * time.Millisecond))
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("id %q, seen %t", id, seen[id])
		}
		seen[id] = true
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Error("ids of later times do not sort later")
	}
	if id := NewID(time.UnixMilli(1)); id[:10] != "0000000001" {
		t.Errorf("one millisecond is %q", id[:10])
	}
	if a, b := NewID(at), NewID(at); a == b || a[:10] != b[:10] {
		t.Errorf("%s and %s of one time", a, b)
	}
}

func FuzzTime(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, us int64) {
		if got := Micros(Time(us)); got != us {
			t.Errorf("%d came back as %d", us, got)
		}
	})
}
