package account

import (
	"context"

	"countersign.dev/base/store"
)

// Choice is what account holders choose for themselves. What is nil stays as it is, so that two choices made at once
// both stand; what is empty is left to the platform.
type Choice struct {
	Locale   *string
	TimeZone *string
}

// Choose records the choice of the account holder, which wins over whatever the platform says before or after.
//
// Events: account.changed when something changed.
//
// Faults: NotFound "unknown-account"; Invalid "locale-invalid", "time-zone-unknown".
func (a *Accounts) Choose(ctx context.Context, tx *store.Tx, id string, c Choice, actor string) error {
	for { // again when somebody was faster
		r, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		fields, err := r.choose(c)
		if err != nil || len(fields) == 0 {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE account SET holder_locale = $3, holder_time_zone = $4, changed_at = $5
			WHERE account_id = $1 AND changed_at = $2`, id, r.changedAt, r.holderLocale, r.holderTimeZone, next(tx, r.changedAt))
		if err != nil {
			return err
		}
		if n == 1 {
			announceChange(tx, id, actor, fields)
			return nil
		}
	}
}

// choose puts what is given into the row, and names the columns that changed.
func (r *Row) choose(c Choice) (fields []string, err error) {
	for _, f := range []struct {
		name   string
		given  *string
		parse  func(string) (string, error)
		stored *string
	}{
		{"holder_locale", c.Locale, parseLocale, &r.holderLocale},
		{"holder_time_zone", c.TimeZone, parseTimeZone, &r.holderTimeZone},
	} {
		if f.given == nil {
			continue
		}
		value, err := f.parse(*f.given)
		if err != nil {
			return nil, err
		}
		if value != *f.stored {
			*f.stored = value
			fields = append(fields, f.name)
		}
	}
	return fields, nil
}
