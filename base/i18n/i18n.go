// Package i18n holds every text that a person reads, by stable id, in each language the product speaks.
//
// [Text] looks one up and fills it in. Arguments are written for the language: %[1]d groups the digits of 12,345, and a plural
// entry chooses its form by the number. A code, a reference or a year therefore goes in as a string with %[1]s.
//
// The texts live in catalog/LOCALE/AREA.toml and are compiled into the program; see catalog.go for the form of a file. They are
// read when the first text is asked for. The tests of this package hold the languages to the same ids with the same arguments, and
// the source code to ids that exist.
//
// It leans on no other package of the house. All functions may be called concurrently.
package i18n

import (
	"slices"

	"golang.org/x/text/language"
)

// Locale is a language that the product speaks, as a BCP 47 tag.
type Locale string

// The languages of the catalogues.
const (
	En Locale = "en"
	Zh Locale = "zh-CN"
)

// Locales returns every language of the catalogues, the default first.
func Locales() []Locale { return []Locale{En, Zh} }

// Match returns the first language in tags that the product speaks, and English when there is none. Each of tags is a BCP 47 tag or
// the value of an Accept-Language header, which is read in the order of its weights; what cannot be read is passed over.
// Traditional Chinese does not count as Chinese: its readers get English, not the other script.
func Match(tags ...string) Locale {
	for _, value := range tags {
		wanted, _, err := language.ParseAcceptLanguage(value)
		if err != nil {
			continue
		}
		for _, tag := range wanted {
			if l, ok := speaks(tag); ok {
				return l
			}
		}
	}
	return En
}

func speaks(tag language.Tag) (Locale, bool) {
	base, _ := tag.Base()
	script, _ := tag.Script() // inferred from the region where the tag does not say it
	switch {
	case base.String() == "en":
		return En, true
	case base.String() == "zh" && script.String() == "Hans":
		return Zh, true
	}
	return "", false
}

// Text returns the text with this id, filled with args. A locale that is not spoken reads as English. An id that does not exist is
// returned as it is, so that the page still stands; the tests find it.
func Text(l Locale, id string, args ...any) string {
	b := bookOf(l)
	e, ok := b.entries[id]
	if !ok {
		return id
	}
	if e.fixed {
		return e.text
	}
	return b.printer.Sprintf(id, args...)
}

// Has reports whether a text with this id exists.
func Has(l Locale, id string) bool {
	_, ok := bookOf(l).entries[id]
	return ok
}

// IDs returns the ids of all texts in a language, sorted.
func IDs(l Locale) []string {
	b := bookOf(l)
	ids := make([]string, 0, len(b.entries))
	for id := range b.entries {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
