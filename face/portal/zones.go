package portal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign.dev/face/web/ui"
)

// zoneNames are the time zones that the settings offer: each offset and rule that people live by, under the name of its best known
// places. Their wording stands in the catalogue, see zoneText.
var zoneNames = strings.Fields(`
	Pacific/Honolulu America/Anchorage America/Los_Angeles America/Vancouver America/Denver America/Phoenix America/Chicago
	America/Mexico_City America/New_York America/Toronto America/Bogota America/Caracas America/Halifax America/Santiago
	America/St_Johns America/Sao_Paulo America/Argentina/Buenos_Aires Atlantic/Azores
	UTC Europe/London Europe/Dublin Europe/Lisbon Africa/Casablanca Africa/Lagos
	Europe/Berlin Europe/Paris Europe/Madrid Europe/Rome Europe/Amsterdam Europe/Brussels Europe/Vienna Europe/Zurich Europe/Prague
	Europe/Warsaw Europe/Budapest Europe/Stockholm Europe/Oslo Europe/Copenhagen
	Europe/Athens Europe/Bucharest Europe/Helsinki Europe/Kyiv Africa/Cairo Africa/Johannesburg Asia/Jerusalem
	Europe/Istanbul Europe/Moscow Asia/Riyadh Africa/Nairobi Asia/Tehran Asia/Dubai Asia/Kabul Asia/Karachi Asia/Tashkent
	Asia/Kolkata Asia/Colombo Asia/Kathmandu Asia/Dhaka Asia/Almaty Asia/Yangon Asia/Bangkok Asia/Ho_Chi_Minh Asia/Jakarta
	Asia/Shanghai Asia/Urumqi Asia/Hong_Kong Asia/Macau Asia/Taipei Asia/Singapore Asia/Kuala_Lumpur Asia/Manila Australia/Perth
	Asia/Seoul Asia/Tokyo Australia/Darwin Australia/Adelaide Australia/Brisbane Australia/Sydney Pacific/Guam
	Pacific/Auckland Pacific/Fiji
`)

var zones sync.Map // name → *time.Location; only names that exist are kept

// zone is the zone with this name, UTC when this machine does not know it.
func zone(name string) *time.Location {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, z)
	return z
}

// zoneText says what a zone's clocks are ahead of UTC now, and names it: "UTC+08:00 · Beijing, Shanghai, Shenzhen".
func zoneText(page ui.Page, name string) string {
	id := "portal.zone." + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(name))
	text := page.T(id)
	if text == id { // one that we do not offer, but the platform or the holder gave
		text = strings.ReplaceAll(name, "_", " ")
	}
	return offsetText(page.Now.In(zone(name))) + " · " + text
}

// offsetText is the offset of a time from UTC as people write it: "UTC+05:30".
func offsetText(t time.Time) string {
	_, seconds := t.Zone()
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("UTC%c%02d:%02d", sign, seconds/3600, seconds/60%60)
}

// offeredZones are the zones to choose from, from west to east as the clocks stand now, with one more if that is in use already.
func offeredZones(now time.Time, inUse string) []string {
	names := slices.Clone(zoneNames)
	if inUse != "" && !slices.Contains(names, inUse) {
		names = append(names, inUse)
	}
	offset := func(name string) int { _, s := now.In(zone(name)).Zone(); return s }
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(offset(a), offset(b)) })
	return names
}
