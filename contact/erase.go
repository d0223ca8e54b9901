package contact

import (
	"context"

	"countersign.dev/base/store"
)

// Erase removes all that is kept about an account's contacts; it is for account.Options.Erase.
func Erase(_ context.Context, tx *store.Tx, accountID string) error {
	tx.Later("DELETE FROM contact WHERE account_id = $1", accountID)
	tx.Later("DELETE FROM contact_change WHERE account_id = $1", accountID)
	tx.Later("DELETE FROM deferral WHERE account_id = $1", accountID)
	tx.Later("DELETE FROM dispute_code WHERE account_id = $1", accountID)
	tx.Later("DELETE FROM dispute WHERE account_id = $1", accountID)
	return nil
}
