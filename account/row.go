package account

import (
	"cmp"
	"fmt"

	"countersign.dev/base/address"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Columns are what a Row holds, for features that read accounts in a join: "SELECT "+Columns+", … FROM account JOIN …".
const Columns = `account.account_id, account.data_key, account.name, account.mailbox, account.locale, account.time_zone,
	account.country, account.holder_locale, account.holder_time_zone, account.created_at, account.changed_at`

// Row is an account as it is stored. Dest gives Scan its places, Open makes an Account of it.
type Row struct {
	id             string
	dataKey        []byte
	name           []byte
	mailbox        []byte
	locale         string
	timeZone       string
	country        string
	holderLocale   string
	holderTimeZone string
	createdAt      int64
	changedAt      int64
}

// Dest returns where to scan Columns to, in their order.
func (r *Row) Dest() []any {
	return []any{
		&r.id, &r.dataKey, &r.name, &r.mailbox, &r.locale, &r.timeZone,
		&r.country, &r.holderLocale, &r.holderTimeZone, &r.createdAt, &r.changedAt,
	}
}

// Open unwraps the account's data key and opens what is sealed under it.
func (a *Accounts) Open(r *Row) (Account, error) {
	key, err := a.o.Keys.Unwrap(r.id, r.dataKey)
	if err != nil {
		return Account{}, fmt.Errorf("account %s: %w", r.id, err)
	}
	acc := Account{
		ID:             r.id,
		Locale:         cmp.Or(r.holderLocale, r.locale, "en"),
		TimeZone:       cmp.Or(r.holderTimeZone, r.timeZone, "UTC"),
		ChosenLocale:   r.holderLocale,
		ChosenTimeZone: r.holderTimeZone,
		GivenLocale:    r.locale,
		Country:        r.country,
		CreatedAt:      store.Time(r.createdAt),
		ChangedAt:      store.Time(r.changedAt),
		Key:            key,
	}
	name, err := key.Open(place(r.id, "name"), r.name)
	if err != nil {
		return Account{}, fmt.Errorf("account %s: the name: %w", r.id, err)
	}
	acc.Name = string(name)
	if r.mailbox == nil {
		return acc, nil
	}
	mailbox, err := key.Open(place(r.id, "mailbox"), r.mailbox)
	if err == nil {
		acc.Mailbox, err = address.ParseEmail(string(mailbox))
	}
	if err != nil {
		return Account{}, fmt.Errorf("account %s: the mailbox: %w", r.id, err)
	}
	return acc, nil
}

func place(id, column string) seal.Place {
	return seal.Place{Table: "account", Row: id, Column: column}
}
