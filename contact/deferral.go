package contact

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countersign.dev/account"
	"countersign.dev/base/fault"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// maxReason is the length of a deferral's reason in characters.
const maxReason = 500

// Deferral is an account's "not now" for one slot, and what is left of its budget.
type Deferral struct {
	ID        string
	Slot      Slot
	Until     time.Time
	DaysLeft  int
	TimesLeft int
}

// Defer puts reminders about a slot off until a time, for a reason that the account gives. It changes no eligibility.
// The budget, since the slot was last verified, is a number of deferrals and of days in total; days that two of them
// cover count once. A slot without a contact can be deferred, a verified one need not. Deferring until the very end of
// the deferral in force answers that one again and spends nothing, so that a form sent twice counts once.
//
// Events: contact.deferred with until, once.
//
// Faults: NotFound "unknown-account"; Conflict "nothing-to-defer"; Invalid "deferral-until-past" and
// "deferral-budget" (with days_left, times_left) at "until"; Invalid "deferral-reason-missing",
// "deferral-reason-too-long", "deferral-reason-characters" at "reason".
func (c *Contacts) Defer(ctx context.Context, tx *store.Tx, accountID string, slot Slot, until time.Time, reason, actor string) (
	d Deferral, err error,
) {
	until = until.UTC().Truncate(time.Microsecond)
	if reason, err = parseReason(reason); err != nil {
		return d, err
	}
	if !until.After(tx.Now()) {
		return d, fault.New(fault.Invalid, "deferral-until-past").At("until")
	}
	var id string
	var b budget
	acc, _, taken, err := c.take(ctx, tx, accountID, slot, func(_ account.Account, r *record) (bool, error) {
		if r.state == Verified {
			return false, fault.New(fault.Conflict, "nothing-to-defer")
		}
		if b, err = c.budget(ctx, tx, accountID, slot); err != nil || b.ends.Equal(until) {
			id = b.last
			return false, err
		}
		id = store.NewID(tx.Now())
		return true, b.spend(id, tx.Now(), until)
	})
	if err != nil {
		return d, err
	}
	if taken {
		place := seal.Place{Table: "deferral", Row: accountID + "/" + id, Column: "reason"}
		tx.Later("INSERT INTO deferral (account_id, deferral_id, slot, until, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
			accountID, id, slot.String(), store.Micros(until), acc.Key.Seal(place, []byte(reason)), store.Micros(tx.Now()))
		teller{tx, accountID, slot, actor}.happened("contact.deferred", map[string]any{"until": until.Format(time.RFC3339Nano)})
	}
	return Deferral{ID: id, Slot: slot, Until: until, DaysLeft: b.daysLeft(), TimesLeft: b.timesLeft()}, nil
}

func parseReason(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return "", fault.New(fault.Invalid, "deferral-reason-missing").At("reason")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "", fault.New(fault.Invalid, "deferral-reason-characters").At("reason")
	case utf8.RuneCountInString(s) > maxReason:
		return "", fault.New(fault.Invalid, "deferral-reason-too-long", maxReason).At("reason")
	}
	return s, nil
}
