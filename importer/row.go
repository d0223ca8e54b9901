package importer

import (
	"strings"

	"countersign.dev/account"
	"countersign.dev/base/address"
	"countersign.dev/base/fault"
	"countersign.dev/contact"
)

// record is a row of the file, by column, before anybody looked at its values. problems say why it is bad; their field is a column.
type record struct {
	line     int
	values   []string
	problems []*fault.Error
}

// source gives the records of a file: io.EOF after the last, and another error when the file cannot be read any further.
type source interface {
	next() (record, error)
}

// bad is the record with one more problem, at a column unless it concerns the whole row.
func (r record) bad(c column, problem *fault.Error) record {
	r.problems = append(r.problems, problem.At(c.String()))
	return r
}

// row is a record that can be written, or its problems.
type row struct {
	line     int
	account  account.Input
	contacts []setting
	problems []*fault.Error
}

// setting is one contact of a row.
type setting struct {
	slot             contact.Slot
	value, extension string
}

// size is about how many bytes the row takes in memory.
func (r *row) size() int {
	n := len(r.account.ID) + len(r.account.Name) + len(r.account.Locale) + len(r.account.TimeZone) + len(r.account.Country)
	for _, s := range r.contacts {
		n += len(s.value) + len(s.extension)
	}
	return n
}

// row reads the values. The contacts are checked here, all of them, so that a bad one is known before anything is written; the account
// checks its own input before it writes.
func (r record) row() row {
	out := row{line: r.line, problems: r.problems}
	if r.values == nil {
		return out
	}
	out.account = account.Input{
		ID:       r.values[accountColumn],
		Name:     r.values[nameColumn],
		Locale:   r.values[localeColumn],
		TimeZone: r.values[timeZoneColumn],
		Country:  r.values[countryColumn],
		Keep:     true,
	}
	if mailbox := r.values[mailboxColumn]; mailbox != "" {
		out.account.Mailbox = &mailbox
	}
	if len(r.problems) > 0 {
		return out
	}
	for _, c := range slotColumns {
		s, ok, err := r.setting(c)
		if err != nil {
			out.problems = append(out.problems, err)
		}
		if ok {
			out.contacts = append(out.contacts, s)
		}
	}
	return out
}

// setting reads what stands in the columns of a slot; ok is false when nothing does.
func (r record) setting(c slotColumn) (s setting, ok bool, problem *fault.Error) {
	s = setting{slot: c.slot, value: r.values[c.value]}
	if c.extension != noColumn {
		s.extension = r.values[c.extension]
	}
	switch {
	case s.value == "" && s.extension == "":
		return s, false, nil
	case s.value == "":
		return s, false, fault.New(fault.Invalid, "import-extension-alone").At(c.extension.String())
	}
	if err := s.check(r.values[countryColumn]); err != nil {
		return s, false, fault.From(s.at(err))
	}
	return s, true, nil
}

func (s setting) check(country string) (err error) {
	if s.slot.Kind() == contact.Phone {
		_, err = address.ParsePhoneParts(s.value, s.extension, strings.ToUpper(country))
	} else {
		_, err = address.ParseEmail(s.value)
	}
	return err
}

// at points a fault about the value or the extension to its column.
func (s setting) at(err error) error {
	f := fault.From(err)
	switch f.Field {
	case "value":
		return f.At(s.slot.String())
	case "extension":
		return f.At(s.slot.String() + extensionSuffix)
	}
	return err
}
