package address

import (
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"countersign.dev/base/fault"
)

const (
	maxExtension = 7
	maxHead      = 3 // digits of the national number that Masked shows in front
	maxTail      = 4 // and at the end
	minHidden    = 4 // and hides in between
)

// Phone is one number of a numbering plan. It is comparable. The fields may be kept apart and put together again: the methods need no
// plan that still knows the number.
type Phone struct {
	E164      string   // "+442079460000", ITU-T E.164
	Extension string   // what is dialled after the call is answered: at most 7 digits, or none
	Country   string   // ISO 3166 alpha-2; empty for a number of no country, such as +800
	Line      LineType // from the numbering plan
}

// ParsePhone reads a number as people and address books write it: +86 138 0013 8000, (020) 7946 0000 ext. 12, 0044 20…, tel:+1-….
// Full-width and Arabic digits are read too. A number that starts with + stands for itself; any other is dialled in country (ISO 3166
// alpha-2), with that country's prefixes. An empty country allows the international form only.
//
// The number must be valid in its plan and be one that can be called from outside: no short codes, no emergency numbers, no numbers
// spelt with letters.
//
// Faults: Invalid, field "value", ids phone-….
func ParsePhone(s, country string) (Phone, error) {
	country = strings.ToUpper(country)
	text, err := readDial(s, country)
	if err != nil {
		return Phone{}, err
	}
	if err := checkExtension(text.extension); err != nil {
		return Phone{}, err
	}
	return resolve(text, country)
}

// ParsePhoneParts is [ParsePhone] for a number whose extension comes in a field of its own. Faults of the extension have the field
// "extension".
func ParsePhoneParts(value, extension, country string) (Phone, error) {
	p, err := ParsePhone(value, country)
	if err != nil || extension == "" {
		return p, err
	}
	if len(extension) > maxInput {
		return Phone{}, refuse("phone-extension-too-long").At("extension")
	}
	if p.Extension != "" {
		return Phone{}, refuse("phone-two-extensions").At("extension")
	}
	extension = plainDial(extension)
	if err := checkExtension(extension); err != nil {
		return Phone{}, err.At("extension")
	}
	p.Extension = extension
	return p, nil
}

func checkExtension(s string) *fault.Error {
	switch {
	case strings.Trim(s, digits) != "":
		return refuse("phone-extension-not-digits")
	case len(s) > maxExtension:
		return refuse("phone-extension-too-long")
	}
	return nil
}

// resolve finds the number in its plan.
func resolve(t dialText, country string) (Phone, error) {
	if !t.international() {
		if err := checkCountry(country); err != nil {
			return Phone{}, err
		}
	}
	n, err := parse(t, country)
	if err != nil {
		return Phone{}, unparsed(err, country)
	}
	kind := phonenumbers.GetNumberType(n)
	switch kind {
	case phonenumbers.UNKNOWN: // exactly when the number is not valid in its plan
		return Phone{}, notInPlan(n, t, country)
	case phonenumbers.VOICEMAIL:
		return Phone{}, refuse("phone-voicemail")
	}
	return Phone{phonenumbers.Format(n, phonenumbers.E164), t.extension, regionOf(n), lineTypes[kind]}, nil
}

func regionOf(n *phonenumbers.PhoneNumber) string {
	region := phonenumbers.GetRegionCodeForNumber(n)
	if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return ""
	}
	return region
}

// checkCountry tells whether a number can be dialled in country.
func checkCountry(country string) *fault.Error {
	switch {
	case country == "":
		return refuse("phone-no-country", example(""))
	case phonenumbers.GetCountryCodeForRegion(country) == 0:
		return refuse("phone-country-unknown", example(""))
	}
	return nil
}

// parse leaves the country out where the number stands for itself, lest the library falls back on it.
func parse(t dialText, country string) (*phonenumbers.PhoneNumber, error) {
	if t.international() {
		country = ""
	}
	return phonenumbers.Parse(t.number, country)
}

// unparsed tells why the library read no number. Of the characters only digits and a leading + are left by then, so "not a number"
// means too few of them.
func unparsed(err error, country string) *fault.Error {
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return refuse("phone-calling-code", example(country))
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return refuse("phone-too-long", example(country))
	}
	return refuse("phone-too-short", example(country))
}

// notInPlan tells why n, read from t, is not valid.
func notInPlan(n *phonenumbers.PhoneNumber, t dialText, country string) *fault.Error {
	code := int(n.GetCountryCode())
	home := code == phonenumbers.GetCountryCodeForRegion(country)
	if !home {
		country = phonenumbers.GetRegionCodeForCountryCode(code)
	}
	return refuse(brokenRule(n, home && !t.international()), example(country))
}

// brokenRule names the rule that keeps n from being valid. assumed says that nothing in the input named the country.
func brokenRule(n *phonenumbers.PhoneNumber, assumed bool) string {
	if phonenumbers.IsValidShortNumber(n) {
		return "phone-short-code"
	}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.TOO_SHORT:
		return "phone-too-short"
	case phonenumbers.TOO_LONG:
		return "phone-too-long"
	case phonenumbers.INVALID_LENGTH:
		return "phone-length"
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return "phone-no-area-code"
	}
	if assumed {
		return "phone-other-country"
	}
	return "phone-not-in-plan"
}

// example returns a number in the international form as people of the region write it, for the text of a fault.
func example(region string) string {
	n := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
	if n == nil {
		return "+44 20 7946 0000" // of a range that the regulator keeps for drama, so it is nobody's
	}
	return phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
}

// IsZero reports whether there is no number.
func (p Phone) IsZero() bool { return p == Phone{} }

// String returns the number for storage, as in RFC 3966 without "tel:": +442079460000;ext=12.
func (p Phone) String() string {
	if p.Extension == "" {
		return p.E164
	}
	return p.E164 + ";ext=" + p.Extension
}

// Key returns the text for the blind index. It is String, named apart so that a reader sees what it is for.
func (p Phone) Key() string { return p.String() }

// Display returns the number as its owner writes it for callers from abroad: +44 20 7946 0000 ext. 12.
func (p Phone) Display() string {
	shown := p.E164
	if n, err := phonenumbers.Parse(p.E164, ""); err == nil {
		shown = phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
	}
	if p.Extension != "" {
		shown += " ext. " + p.Extension
	}
	return shown
}

// Masked returns the number for people who know it already: +86 138 •••• 8000. At least four digits are hidden, and the
// extension whole; there are four dots however many digits they stand for.
func (p Phone) Masked() string {
	if p.E164 == "" {
		return ""
	}
	code, national := splitE164(p.E164)
	shown := max(0, len(national)-minHidden)
	tail := min(maxTail, shown)
	head := min(maxHead, shown-tail)
	parts := []string{code, national[:head], "••••", national[len(national)-tail:]}
	if p.Extension != "" {
		parts = append(parts, "ext. ••")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// splitE164 cuts a number after its calling code. No calling code is the beginning of another.
func splitE164(s string) (code, national string) {
	known := phonenumbers.GetSupportedCallingCodes()
	for end := 2; end <= min(4, len(s)); end++ {
		if n, err := strconv.Atoi(s[1:end]); err == nil && known[n] {
			return s[:end], s[end:]
		}
	}
	return "+", strings.TrimPrefix(s, "+")
}

// CanSMS reports whether an SMS to this number may reach the person: the line takes them, and nobody has to dial an extension.
func (p Phone) CanSMS() bool { return p.Line.CanSMS() && p.Extension == "" }

// LogValue keeps the number out of logs.
func (p Phone) LogValue() slog.Value { return slog.StringValue("(a phone number)") }
