package account

import (
	"context"

	"countersign.dev/base/event"
	"countersign.dev/base/store"
)

// Erase removes an account: its row and with it the data key, its former mailboxes, then what the features keep. What
// remains are events, which hold nothing personal, and sealed bytes in old pages and backups that no key opens any more.
//
// The row goes first: whoever changes the account at the same moment waits for it, and then finds no account.
//
// Events: account.erased. Faults: NotFound "unknown-account".
func (a *Accounts) Erase(ctx context.Context, tx *store.Tx, id, actor string) error {
	n, err := tx.Exec(ctx, "DELETE FROM account WHERE account_id = $1", id)
	if err != nil {
		return err
	}
	if n == 0 {
		return Unknown()
	}
	tx.Later("DELETE FROM mailbox_change WHERE account_id = $1", id)
	for _, erase := range a.o.Erase {
		if err := erase(ctx, tx, id); err != nil {
			return err
		}
	}
	event.Append(tx, event.Event{Type: "account.erased", Account: id, Subject: id, Actor: actor})
	if a.o.AfterErase != nil {
		tx.AfterCommit(a.o.AfterErase)
	}
	return nil
}
