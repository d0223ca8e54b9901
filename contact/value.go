package contact

import (
	"fmt"
	"strings"

	"countersign.dev/base/address"
	"countersign.dev/base/fault"
)

// Value is an e-mail address or a phone number; the other one is zero.
type Value struct {
	Email address.Email
	Phone address.Phone
}

// parseValue reads what goes into a slot of this kind. A phone number without + is read in the country.
func parseValue(kind Kind, value, extension, country string) (v Value, err error) {
	if kind == Phone {
		v.Phone, err = address.ParsePhoneParts(value, extension, country)
		return v, err
	}
	if extension != "" {
		return v, fault.New(fault.Invalid, "extension-of-an-email").At("extension")
	}
	v.Email, err = address.ParseEmail(value)
	return v, err
}

// String is the value in clear, in its machine form.
func (v Value) String() string {
	if v.Phone.IsZero() {
		return v.Email.String()
	}
	return v.Phone.String()
}

// Masked is the value for people who know it already.
func (v Value) Masked() string {
	if v.Phone.IsZero() {
		return v.Email.Masked()
	}
	return v.Phone.Masked()
}

func (v Value) key() string {
	if v.Phone.IsZero() {
		return v.Email.Key()
	}
	return v.Phone.Key()
}

// stored is the text that is sealed. A phone number keeps what its plan said about it, so that it can be read when a
// later plan no longer knows the number.
func (v Value) stored() string {
	if v.Phone.IsZero() {
		return v.Email.String()
	}
	p := v.Phone
	return strings.Join([]string{p.E164, p.Extension, p.Country, string(p.Line)}, " ")
}

func readStored(kind Kind, text string) (v Value, err error) {
	if kind == Email {
		v.Email, err = address.ParseEmail(text)
		return v, err
	}
	parts := strings.Split(text, " ")
	if len(parts) != 4 {
		return v, fmt.Errorf("a stored phone number has %d parts", len(parts))
	}
	v.Phone = address.Phone{E164: parts[0], Extension: parts[1], Country: parts[2], Line: address.LineType(parts[3])}
	return v, nil
}
