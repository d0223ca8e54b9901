package contact

import (
	"strconv"
	"strings"

	"countersign.dev/base/fault"
)

// Kind is what a contact is reached by.
type Kind string

// The kinds. They are also the domains of the blind index.
const (
	Email Kind = "email"
	Phone Kind = "phone"
)

const maxRank = 5

// Slot is the place of a contact: its kind and its rank, 1 being the first to try. It is comparable; the zero value is
// no slot.
type Slot struct {
	kind Kind
	rank int
}

// ParseSlot reads "email" and "phone" (rank 1), "email-2" … "email-5" and "phone-2" … "phone-5".
//
// Faults: Invalid "unknown-slot", field "slot".
func ParseSlot(s string) (Slot, error) {
	kind, rank, numbered := strings.Cut(s, "-")
	slot := Slot{kind: Kind(kind), rank: 1}
	if numbered && len(rank) == 1 {
		slot.rank = int(rank[0] - '0')
	}
	if (slot.kind != Email && slot.kind != Phone) || slot.rank < 1 || slot.rank > maxRank || slot.String() != s {
		return Slot{}, fault.New(fault.Invalid, "unknown-slot").At("slot")
	}
	return slot, nil
}

// Kind is what the slot is for.
func (s Slot) Kind() Kind { return s.kind }

// Rank is 1 for the first to try.
func (s Slot) Rank() int { return s.rank }

// String is the slot as ParseSlot reads it.
func (s Slot) String() string {
	if s.rank <= 1 {
		return string(s.kind)
	}
	return string(s.kind) + "-" + strconv.Itoa(s.rank)
}
