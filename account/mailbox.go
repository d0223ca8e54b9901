package account

import (
	"context"
	"fmt"

	"countersign.dev/base/address"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// What happens to a mailbox, as the event says it.
const (
	mailboxSet     = "set"
	mailboxChanged = "changed"
	mailboxRemoved = "removed"
)

// becomes says what happens to a mailbox, "" when nothing does.
func becomes(before, after address.Email) string {
	switch {
	case before == after:
		return ""
	case before.IsZero():
		return mailboxSet
	case after.IsZero():
		return mailboxRemoved
	}
	return mailboxChanged
}

// moveMailbox tells what happened to the mailbox of a claimed account, and keeps the one that stands no more by the
// id of the event, until whoever listens tells it.
func moveMailbox(tx *store.Tx, acc Account, what, actor string) {
	e := event.Event{
		ID: store.NewID(tx.Now()), Type: "account.mailbox_changed", Account: acc.ID, Subject: acc.ID, Actor: actor,
		Body: map[string]any{"mailbox": what},
	}
	event.Append(tx, e)
	if acc.Mailbox.IsZero() {
		return
	}
	tx.Later("INSERT INTO mailbox_change (account_id, event_id, old_value) VALUES ($1, $2, $3)",
		acc.ID, e.ID, acc.Key.Seal(formerPlace(acc.ID, e.ID), []byte(acc.Mailbox.String())))
}

const takeFormerMailbox = "DELETE FROM mailbox_change WHERE account_id = $1 AND event_id = $2 RETURNING old_value"

// TakeFormerMailbox returns the mailbox that an account.mailbox_changed event put out of use, and forgets it, in one
// statement: it is kept for the one who tells it, and no longer. The error is store.ErrNoRows when the event put none
// out of use, or when it was taken.
func (a *Accounts) TakeFormerMailbox(ctx context.Context, tx *store.Tx, acc Account, eventID string) (former address.Email, err error) {
	var sealed []byte
	if err := tx.QueryRow(ctx, takeFormerMailbox, acc.ID, eventID).Scan(&sealed); err != nil {
		return former, err
	}
	text, err := acc.Key.Open(formerPlace(acc.ID, eventID), sealed)
	if err == nil {
		former, err = address.ParseEmail(string(text))
	}
	if err != nil {
		return former, fmt.Errorf("account %s: the former mailbox: %w", acc.ID, err)
	}
	return former, nil
}

func formerPlace(accountID, eventID string) seal.Place {
	return seal.Place{Table: "mailbox_change", Row: accountID + "/" + eventID, Column: "old_value"}
}
