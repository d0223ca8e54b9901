package account

import (
	"context"

	"countersign.dev/base/store"
)

// Choose records the language and the zone that the account holder chose for themselves; they win over whatever the
// platform says before or after. An empty one leaves the matter to the platform; who changes only one of them passes
// the other as it is in the Account (ChosenLocale, ChosenTimeZone).
//
// Events: account.changed when something changed.
//
// Faults: NotFound "unknown-account"; Invalid "locale-invalid", "time-zone-unknown".
func (a *Accounts) Choose(ctx context.Context, tx *store.Tx, id, locale, timeZone, actor string) error {
	locale, err := parseLocale(locale)
	if err != nil {
		return err
	}
	if timeZone, err = parseTimeZone(timeZone); err != nil {
		return err
	}
	r, err := get(ctx, tx, id)
	if err != nil {
		return err
	}
	var fields []string
	if r.holderLocale != locale {
		fields = append(fields, "holder_locale")
	}
	if r.holderTimeZone != timeZone {
		fields = append(fields, "holder_time_zone")
	}
	if len(fields) == 0 {
		return nil
	}
	a.Touch(tx, id)
	n, err := tx.Exec(ctx, "UPDATE account SET holder_locale = $2, holder_time_zone = $3 WHERE account_id = $1", id, locale, timeZone)
	if err != nil {
		return err
	}
	if n == 0 {
		return Unknown()
	}
	announceChange(tx, id, actor, fields)
	return nil
}
