package contact

import (
	"context"
	"strings"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// Filter selects accounts that have a contact of a state in a slot. After is where the page before ended; a Limit of 0
// and one that is too large are held to account's sizes of a page.
type Filter struct {
	Slot         Slot
	State        State
	ChangedSince time.Time // zero: whenever
	After        string
	Limit        int
}

// ParseSlotState reads "SLOT:STATE", such as "phone:unverified".
//
// Faults: Invalid "slot-state-invalid", field "slot_state".
func ParseSlotState(s string) (Slot, State, error) {
	name, state, _ := strings.Cut(s, ":")
	slot, err := ParseSlot(name)
	switch State(state) {
	case Unverified, Verified, NeedsUpdate:
		if err == nil {
			return slot, State(state), nil
		}
	}
	return Slot{}, "", fault.New(fault.Invalid, "slot-state-invalid").At("slot_state")
}

const (
	byStateQuery = "SELECT " + account.Columns + ` FROM contact JOIN account ON account.account_id = contact.account_id
		WHERE contact.slot = $1 AND contact.state = $2 AND contact.account_id > $3 ORDER BY contact.account_id LIMIT $4`

	// Few accounts changed lately, many have a state: the changes lead.
	byChangeQuery = "SELECT " + account.Columns + ` FROM account JOIN contact ON contact.account_id = account.account_id
		WHERE (account.changed_at, account.account_id) > ($3, $4) AND contact.slot = $1 AND contact.state = $2
		ORDER BY account.changed_at, account.account_id LIMIT $5`
)

// ListAccounts returns accounts and where the next page begins ("" after the last): by id, or, when ChangedSince is
// given, by the time of their last change as account.List does.
//
// Faults: Malformed "page-token".
func (c *Contacts) ListAccounts(ctx context.Context, tx *store.Tx, f Filter) (page []account.Account, next string, err error) {
	changes := account.Filter{ChangedSince: f.ChangedSince, After: f.After, Limit: f.Limit}
	limit := changes.Size()
	query, args, token := byStateQuery, []any{f.After, limit + 1}, func(acc account.Account) string { return acc.ID }
	if !f.ChangedSince.IsZero() {
		p, err := changes.Position()
		if err != nil {
			return nil, "", err
		}
		query, args = byChangeQuery, []any{p.ChangedAt, p.ID, limit + 1}
		token = func(acc account.Account) string { return account.PositionOf(acc).String() }
	}
	rows, err := tx.Query(ctx, query, append([]any{f.Slot.String(), string(f.State)}, args...)...)
	if err != nil {
		return nil, "", err
	}
	page, err = c.o.Accounts.Collect(rows)
	if len(page) > limit {
		page = page[:limit]
		next = token(page[limit-1])
	}
	return page, next, err
}
