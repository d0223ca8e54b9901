package importer

import (
	"strings"

	"countersign.dev/contact"
)

// column is a column of a CSV file or a key of an NDJSON object: an index into columns.
type column int

// The columns that every file may have. Those of the slots follow them.
const (
	accountColumn column = iota
	nameColumn
	localeColumn
	timeZoneColumn
	countryColumn
	mailboxColumn
	firstSlotColumn
)

// columns are the names of all columns.
var columns = []string{"account", "name", "locale", "time_zone", "country", "mailbox"}

// slotColumn is where a contact stands in a row. Its extension is noColumn for an e-mail address.
type slotColumn struct {
	slot      contact.Slot
	value     column
	extension column
}

const (
	noColumn        column = -1
	extensionSuffix        = "_extension"
)

var slotColumns = addSlots(
	"email", "email-2", "email-3", "email-4", "email-5",
	"phone", "phone-2", "phone-3", "phone-4", "phone-5",
)

func addSlots(names ...string) (all []slotColumn) {
	for _, name := range names {
		slot, err := contact.ParseSlot(name)
		if err != nil {
			panic("importer: " + name + " is no slot")
		}
		c := slotColumn{slot: slot, value: column(len(columns)), extension: noColumn}
		columns = append(columns, name)
		if slot.Kind() == contact.Phone {
			c.extension = column(len(columns))
			columns = append(columns, name+extensionSuffix)
		}
		all = append(all, c)
	}
	return all
}

// String is the column's name, "" for noColumn.
func (c column) String() string {
	if c < 0 {
		return ""
	}
	return columns[c]
}

// columnOf finds a column by its name; spaces around it and upper case do not matter.
func columnOf(name string) (column, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	for c, known := range columns {
		if known == name {
			return column(c), true
		}
	}
	return noColumn, false
}

// maxShown is the length of the longest name of an unknown column that is repeated to people.
const maxShown = 40

// shown returns the name of an unknown column as far as it may be repeated: when it looks like a name somebody gave a column, and
// not like a value that slipped into its place.
func shown(name string) string {
	name = strings.TrimSpace(name)
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("_-0123456789", r)
	}
	if name == "" || len(name) > maxShown || strings.ContainsFunc(name, other) || strings.Trim(name, "_-0123456789") == "" {
		return "?"
	}
	return name
}
