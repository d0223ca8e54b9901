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
// cover count once. A slot without a contact can be deferred, a verified one need not.
//
// Events: contact.deferred with until.
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
	var b budget
	acc, _, _, err := c.take(ctx, tx, accountID, slot, func(_ account.Account, r *record) (bool, error) {
		if r.state == Verified {
			return false, fault.New(fault.Conflict, "nothing-to-defer")
		}
		if b, err = c.budget(ctx, tx, accountID, slot, r.verifiedAt); err != nil {
			return false, err
		}
		return true, b.spend(tx.Now(), until)
	})
	if err != nil {
		return d, err
	}
	id := store.NewID(tx.Now())
	place := seal.Place{Table: "deferral", Row: accountID + "/" + id, Column: "reason"}
	tx.Later("INSERT INTO deferral (account_id, deferral_id, slot, until, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
		accountID, id, slot.String(), store.Micros(until), acc.Key.Seal(place, []byte(reason)), store.Micros(tx.Now()))
	teller{tx, accountID, slot, actor}.happened("contact.deferred", map[string]any{"until": until.Format(time.RFC3339Nano)})
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

// budget is what is left of the deferrals of a slot, and the end of those there were.
type budget struct {
	times int
	time  time.Duration
	ends  time.Time
}

func (c *Contacts) budget(ctx context.Context, tx *store.Tx, accountID string, slot Slot, since int64) (budget, error) {
	b := budget{times: c.o.DeferralTimes, time: time.Duration(c.o.DeferralDays) * day}
	rows, err := tx.Query(ctx, `SELECT created_at, until FROM deferral WHERE account_id = $1 AND slot = $2 AND created_at >= $3
		ORDER BY created_at, until`, accountID, slot.String(), since)
	if err != nil {
		return b, err
	}
	defer rows.Close()
	for rows.Next() {
		var from, until int64
		if err := rows.Scan(&from, &until); err != nil {
			return b, err
		}
		b.take(store.Time(from), store.Time(until))
	}
	return b, rows.Err()
}

// take counts a deferral, of its days those that are not covered yet.
func (b *budget) take(from, until time.Time) {
	if b.ends.After(from) {
		from = b.ends
	}
	if until.After(from) {
		b.time -= until.Sub(from)
		b.ends = until
	}
	b.times--
}

// spend takes a deferral or refuses with what is left.
func (b *budget) spend(from, until time.Time) error {
	rest := *b
	rest.take(from, until)
	if rest.times < 0 || rest.time < 0 {
		return fault.New(fault.Invalid, "deferral-budget", b.daysLeft(), b.timesLeft()).At("until").
			With("days_left", b.daysLeft()).With("times_left", b.timesLeft())
	}
	*b = rest
	return nil
}

// A budget that an operator has cut may be overdrawn.
func (b *budget) daysLeft() int  { return max(0, int(b.time/day)) }
func (b *budget) timesLeft() int { return max(0, b.times) }
