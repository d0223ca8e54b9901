package account

import (
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"countersign.dev/base/address"
	"countersign.dev/base/fault"
)

// Input is the whole of what the platform knows of an account: a field left empty is empty afterwards, and a nil
// Mailbox is none; with Keep, what is left out stays as it was. Locale is a BCP 47 tag, TimeZone an IANA name, Country ISO 3166 alpha-2.
type Input struct {
	ID       string
	Name     string
	Locale   string
	TimeZone string
	Country  string
	Mailbox  *string
	Keep     bool // a field left empty stays as it was
}

// Lengths: of an id in characters of the design's pattern, of a name in characters, of a language tag in bytes
// (RFC 5646 §4.4.1 has buffers of 35).
const (
	maxID     = 128
	maxName   = 200
	maxLocale = 35
)

// values are an Input that keeps all rules, in the form that is stored.
type values struct {
	id, name, locale, timeZone, country string
	mailbox                             address.Email
	keep                                bool
}

// over completes v with what the account has, where it is to be kept.
func (v values) over(r *Row, acc Account) values {
	if !v.keep {
		return v
	}
	v.name = cmp.Or(v.name, acc.Name)
	v.locale = cmp.Or(v.locale, r.locale)
	v.timeZone = cmp.Or(v.timeZone, r.timeZone)
	v.country = cmp.Or(v.country, r.country)
	if v.mailbox.IsZero() {
		v.mailbox = acc.Mailbox
	}
	return v
}

func (in Input) parse() (v values, err error) {
	if err := checkID(in.ID); err != nil {
		return v, err
	}
	v.id, v.keep = in.ID, in.Keep
	if v.name, err = parseName(in.Name); err != nil {
		return v, err
	}
	if v.locale, err = parseLocale(in.Locale); err != nil {
		return v, err
	}
	if v.timeZone, err = parseTimeZone(in.TimeZone); err != nil {
		return v, err
	}
	if v.country, err = parseCountry(in.Country); err != nil {
		return v, err
	}
	if in.Mailbox == nil {
		return v, nil
	}
	if v.mailbox, err = address.ParseEmail(*in.Mailbox); err != nil {
		return v, fault.From(err).At("mailbox")
	}
	return v, nil
}

// checkID holds an id to [A-Za-z0-9][A-Za-z0-9._:~-]{0,127}: ids stand in logs, so an address must not pass as one.
func checkID(id string) error {
	ok := id != "" && len(id) <= maxID && !strings.ContainsRune("._:~-", rune(id[0]))
	for _, r := range id {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:~-", r))
	}
	if !ok {
		return fault.New(fault.Invalid, "account-id-invalid", maxID).At("account")
	}
	return nil
}

// parseName takes any name that fits a line: it is put into headers and greetings.
func parseName(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, breaksLine) {
		return "", fault.New(fault.Invalid, "name-characters").At("name")
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	if utf8.RuneCountInString(s) > maxName {
		return "", fault.New(fault.Invalid, "name-too-long", maxName).At("name")
	}
	return s, nil
}

// breaksLine is true for control characters, for Unicode's line and paragraph separators and for the characters that
// turn the direction of what follows them (UAX #9).
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r)
}

func parseLocale(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	tag, err := language.Parse(s)
	if err != nil || len(s) > maxLocale || tag == language.Und {
		return "", fault.New(fault.Invalid, "locale-invalid").At("locale")
	}
	return tag.String(), nil
}

// parseTimeZone refuses "Local", which means another zone on each machine.
func parseTimeZone(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return "", fault.New(fault.Invalid, "time-zone-unknown").At("time_zone")
	}
	return s, nil
}

func parseCountry(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	upper := strings.ToUpper(s)
	region, err := language.ParseRegion(upper)
	if err != nil || len(s) != 2 || !region.IsCountry() || region.Canonicalize().String() != upper {
		return "", fault.New(fault.Invalid, "country-unknown").At("country")
	}
	return upper, nil
}
