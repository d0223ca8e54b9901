package portal

import (
	"testing"
	"time"
)

func FuzzParseDay(f *testing.F) {
	zone, err := time.LoadLocation("America/Sao_Paulo") // had days that began at one o'clock
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"2026-03-10", "2026/3/1", "2018.11.04", "2026年3月10日", "２０２６-０３-１０", "", "0000-00-00", "99999-1-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		day, ok := parseDay(typed, zone)
		if !ok {
			return
		}
		again, ok := parseDay(day.Format(time.DateOnly), zone)
		if !ok || again.Format(time.DateOnly) != day.Format(time.DateOnly) {
			t.Errorf("%q is %v, which is %v", typed, day, again)
		}
		if end := endOf(day); end.Before(day) || end.Format(time.DateOnly) != day.Format(time.DateOnly) {
			t.Errorf("the end of %v is %v", day, end)
		}
	})
}
