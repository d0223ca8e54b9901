package contact

import (
	"context"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// Wait is how things stand with the deferrals of a slot: until when the one in force lasts (zero: none is), and what
// is left of the budget in whole days and times.
type Wait struct {
	Until     time.Time
	DaysLeft  int
	TimesLeft int
}

// Waits returns how things stand with the deferrals of an account, in one statement. A slot whose budget is untouched
// is not among them: it has FullBudget.
func (c *Contacts) Waits(ctx context.Context, tx *store.Tx, accountID string) (map[Slot]Wait, error) {
	budgets, err := c.budgets(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	waits := make(map[Slot]Wait, len(budgets))
	for slot, b := range budgets {
		waits[slot] = b.wait(tx.Now())
	}
	return waits, nil
}

// Budget is Waits for one slot.
func (c *Contacts) Budget(ctx context.Context, tx *store.Tx, accountID string, slot Slot) (Wait, error) {
	b, err := c.budget(ctx, tx, accountID, slot)
	return b.wait(tx.Now()), err
}

// FullBudget is the Wait of a slot that was never deferred since it was last verified.
func (c *Contacts) FullBudget() Wait { return c.fullBudget().wait(time.Time{}) }

// budget is what is left of the deferrals of a slot, and which of those there were ends last: that one is in force.
type budget struct {
	times int
	time  time.Duration
	last  string
	ends  time.Time
}

func (c *Contacts) fullBudget() budget {
	return budget{times: c.o.DeferralTimes, time: time.Duration(c.o.DeferralDays) * day}
}

func (c *Contacts) budget(ctx context.Context, tx *store.Tx, accountID string, slot Slot) (budget, error) {
	all, err := c.budgets(ctx, tx, accountID)
	if b, deferred := all[slot]; deferred {
		return b, err
	}
	return c.fullBudget(), err
}

// A verification renews the budget: what was deferred before it no longer counts.
const budgetsQuery = `SELECT deferral.deferral_id, deferral.slot, deferral.created_at, deferral.until
	FROM deferral LEFT JOIN contact ON contact.account_id = deferral.account_id AND contact.slot = deferral.slot
	WHERE deferral.account_id = $1 AND deferral.created_at >= COALESCE(contact.verified_at, 0)
	ORDER BY deferral.created_at, deferral.until`

func (c *Contacts) budgets(ctx context.Context, tx *store.Tx, accountID string) (map[Slot]budget, error) {
	rows, err := tx.Query(ctx, budgetsQuery, accountID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[Slot]budget{}
	for rows.Next() {
		var id, name string
		var from, until int64
		if err := rows.Scan(&id, &name, &from, &until); err != nil {
			return nil, err
		}
		slot, err := ParseSlot(name)
		if err != nil {
			return nil, err
		}
		b, deferred := all[slot]
		if !deferred {
			b = c.fullBudget()
		}
		b.take(id, store.Time(from), store.Time(until))
		all[slot] = b
	}
	return all, rows.Err()
}

// take counts a deferral, of its days those that are not covered yet.
func (b *budget) take(id string, from, until time.Time) {
	if b.ends.After(from) {
		from = b.ends
	}
	if until.After(from) {
		b.time -= until.Sub(from)
		b.last, b.ends = id, until
	}
	b.times--
}

// spend takes a deferral or refuses with what is left.
func (b *budget) spend(id string, from, until time.Time) error {
	rest := *b
	rest.take(id, from, until)
	if rest.times < 0 || rest.time < 0 {
		return fault.New(fault.Invalid, "deferral-budget", b.daysLeft(), b.timesLeft()).At("until").
			With("days_left", b.daysLeft()).With("times_left", b.timesLeft())
	}
	*b = rest
	return nil
}

func (b budget) wait(now time.Time) Wait {
	w := Wait{DaysLeft: b.daysLeft(), TimesLeft: b.timesLeft()}
	if b.ends.After(now) {
		w.Until = b.ends
	}
	return w
}

// A budget that an operator has cut may be overdrawn.
func (b budget) daysLeft() int  { return max(0, int(b.time/day)) }
func (b budget) timesLeft() int { return max(0, b.times) }
