package notice

import (
	"strings"
	"sync"
	"time"

	"countersign.dev/base/i18n"
)

// moment writes a time as people of a language do, in the account's own zone.
func moment(l i18n.Locale, at time.Time, zone string) string {
	at = at.In(location(zone))
	offset := strings.TrimSuffix(at.Format("UTC-07:00"), ":00")
	if l == i18n.Zh {
		return at.Format("2006年1月2日 15:04") + "（" + offset + "）"
	}
	return at.Format("15:04 on 2 January 2006") + " (" + offset + ")"
}

// locations holds the zones that were asked for: reading one from the zone database costs more than a statement.
var locations sync.Map

// location is the zone of that name; an unknown one reads as UTC.
func location(zone string) *time.Location {
	if loc, ok := locations.Load(zone); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	locations.Store(zone, loc)
	return loc
}
