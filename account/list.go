package account

import (
	"context"
	"strconv"
	"strings"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// Sizes of a page of accounts.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// Filter selects accounts. After is where the page before ended, as its "next" said; a Limit of 0 means DefaultPage,
// and there are never more than MaxPage.
type Filter struct {
	ChangedSince time.Time // zero: all
	After        string
	Limit        int
}

const listQuery = "SELECT " + Columns + ` FROM account WHERE (account.changed_at, account.account_id) > ($1, $2)
	ORDER BY account.changed_at, account.account_id LIMIT $3`

// List returns accounts by the time of their last change, the oldest first, and where the next page begins ("" after
// the last). An account that changes meanwhile comes again and none is left out, but one whose transaction was still
// open when a later one had been read: who needs each change follows the feed of events.
//
// Faults: Malformed "page-token".
func (a *Accounts) List(ctx context.Context, tx *store.Tx, f Filter) (page []Account, next string, err error) {
	p, err := f.Position()
	if err != nil {
		return nil, "", err
	}
	limit := f.Size()
	rows, err := tx.Query(ctx, listQuery, p.ChangedAt, p.ID, limit+1)
	if err != nil {
		return nil, "", err
	}
	page, err = a.Collect(rows)
	if len(page) > limit {
		page = page[:limit]
		next = PositionOf(page[limit-1]).String()
	}
	return page, next, err
}

// Size is how many accounts a page has at most.
func (f Filter) Size() int {
	if f.Limit <= 0 {
		return DefaultPage
	}
	return min(f.Limit, MaxPage)
}

// Position is a place in the order of changes: behind the account ID that changed at ChangedAt (microseconds).
type Position struct {
	ChangedAt int64
	ID        string
}

// PositionOf is the place behind an account.
func PositionOf(acc Account) Position { return Position{store.Micros(acc.ChangedAt), acc.ID} }

// String is the position as a page token.
func (p Position) String() string { return strconv.FormatInt(p.ChangedAt, 10) + ":" + p.ID }

// Position is where the filter's page begins.
//
// Faults: Malformed "page-token".
func (f Filter) Position() (Position, error) {
	if f.After == "" {
		if f.ChangedSince.IsZero() {
			return Position{}, nil
		}
		return Position{ChangedAt: store.Micros(f.ChangedSince)}, nil
	}
	at, id, found := strings.Cut(f.After, ":")
	us, err := strconv.ParseInt(at, 10, 64)
	if !found || err != nil {
		return Position{}, fault.New(fault.Malformed, "page-token").At("page_token")
	}
	return Position{us, id}, nil
}

// Collect opens all accounts of rows that hold Columns, and closes the rows.
func (a *Accounts) Collect(rows *store.Rows) ([]Account, error) {
	defer rows.Close()
	var all []Account
	for rows.Next() {
		var r Row
		if err := rows.Scan(r.Dest()...); err != nil {
			return nil, err
		}
		acc, err := a.Open(&r)
		if err != nil {
			return nil, err
		}
		all = append(all, acc)
	}
	return all, rows.Err()
}
