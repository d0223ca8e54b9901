package ui

import (
	"time"

	"countersign.dev/base/i18n"
)

func (p Page) local(t time.Time) time.Time {
	if p.Zone == nil {
		return t.UTC()
	}
	return t.In(p.Zone)
}

// Date is a day in the page's zone: 3 March 2026, 2026年3月3日.
func (p Page) Date(t time.Time) string {
	if p.Locale == i18n.Zh {
		return p.local(t).Format("2006年1月2日")
	}
	return p.local(t).Format("2 January 2006")
}

// Moment is a time in the page's zone: 3 March 2026, 15:04, 2026年3月3日 15:04.
func (p Page) Moment(t time.Time) string {
	if p.Locale == i18n.Zh {
		return p.local(t).Format("2006年1月2日 15:04")
	}
	return p.local(t).Format("2 January 2006, 15:04")
}

// Ago is how long ago a time was: just now, 5 minutes ago, 3 days ago. It rounds down. A time to come reads as just now.
func (p Page) Ago(t time.Time) string {
	unit, n := span(p.Now.Sub(t))
	if unit == "seconds" {
		return p.T("ui.ago.now")
	}
	return p.T("ui.ago."+unit, n)
}

// In is how long it is until a time: in 40 seconds, in 5 minutes, in 3 days. It rounds up, so that who waits that long has waited
// enough. A time that is past reads as now.
func (p Page) In(t time.Time) string {
	left := t.Sub(p.Now)
	if left <= 0 {
		return p.T("ui.in.now")
	}
	unit, n := spanUp(left)
	return p.T("ui.in."+unit, n)
}

const day = 24 * time.Hour

// span names a length of time by its largest unit, rounded down.
func span(d time.Duration) (unit string, n int) {
	switch {
	case d < time.Minute:
		return "seconds", int(max(d, 0) / time.Second)
	case d < time.Hour:
		return "minutes", int(d / time.Minute)
	case d < day:
		return "hours", int(d / time.Hour)
	default:
		return "days", int(d / day)
	}
}

// spanUp names a length of time by the unit that suits it, rounded up.
func spanUp(d time.Duration) (unit string, n int) {
	up := func(unit time.Duration) int { return int((d + unit - 1) / unit) }
	switch {
	case d <= 90*time.Second:
		return "seconds", up(time.Second)
	case d <= 90*time.Minute:
		return "minutes", up(time.Minute)
	case d <= 36*time.Hour:
		return "hours", up(time.Hour)
	default:
		return "days", up(day)
	}
}
