package contact

import (
	"context"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/event"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
)

// View is a contact as it is shown to everybody: masked.
type View struct {
	Slot          string         `json:"slot"`
	Kind          Kind           `json:"kind"`
	State         State          `json:"state"`
	Reason        Reason         `json:"reason,omitempty"`
	Masked        string         `json:"masked"`
	LineType      string         `json:"line_type,omitempty"`
	VerifiedAt    *time.Time     `json:"verified_at,omitempty"`
	DueAt         *time.Time     `json:"due_at,omitempty"`
	PendingChange *PendingChange `json:"pending_change,omitempty"`
	Hints         []string       `json:"hints,omitempty"`
}

// PendingChange is a waiting value as it is shown to everybody.
type PendingChange struct {
	Masked      string    `json:"masked"`
	RequestedAt time.Time `json:"requested_at"`
}

// View masks the contact.
func (k Contact) View(hints []string) View {
	v := View{
		Slot: k.Slot.String(), Kind: k.Slot.Kind(), State: k.State, Reason: k.Reason, Masked: k.Masked(),
		LineType: string(k.Line), Hints: hints,
	}
	if !k.VerifiedAt.IsZero() {
		v.VerifiedAt, v.DueAt = &k.VerifiedAt, &k.DueAt
	}
	if k.Pending != nil {
		v.PendingChange = &PendingChange{Masked: k.Pending.Masked(), RequestedAt: k.Pending.At}
	}
	return v
}

// The hints.
const (
	HintSameAsMailbox = "same-as-mailbox" // the e-mail contact is the account's mailbox: both fail together
	HintNoSMS         = "no-sms"          // no SMS reaches this number; it can be verified by voice
)

// Hints returns the ids of what the account should know about the value that it set last in this slot.
func Hints(acc account.Account, k Contact) (hints []string) {
	v := k.Value
	if k.Pending != nil {
		v = k.Pending.Value
	}
	switch {
	case k.Slot.Kind() == Email:
		if !acc.Mailbox.IsZero() && acc.Mailbox.Key() == v.Email.Key() {
			hints = append(hints, HintSameAsMailbox)
		}
	case !v.Phone.CanSMS():
		hints = append(hints, HintNoSMS)
	}
	return hints
}

// HintText is what a person is told by a hint.
func HintText(l i18n.Locale, id string) string { return i18n.Text(l, "contact.hint."+id) }

const allQuery = "SELECT " + account.Columns + ", " + columns + ` FROM account
	LEFT JOIN contact ON contact.account_id = account.account_id AND contact.state <> 'removed'
	WHERE account.account_id = $1 ORDER BY contact.slot`

// All returns an account and its contacts, by slot, in one statement.
//
// Faults: NotFound "unknown-account".
func (c *Contacts) All(ctx context.Context, tx *store.Tx, accountID string) (acc account.Account, all []Contact, err error) {
	rows, err := tx.Query(ctx, allQuery, accountID)
	if err != nil {
		return acc, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a account.Row
		var r record
		if err := rows.Scan(append(a.Dest(), r.dest()...)...); err != nil {
			return acc, nil, err
		}
		if acc.ID == "" {
			if acc, err = c.o.Accounts.Open(&a); err != nil {
				return acc, nil, err
			}
		}
		if !r.exists() {
			continue
		}
		k, err := r.open(acc)
		if err != nil {
			return acc, nil, err
		}
		all = append(all, k)
	}
	if err := rows.Err(); err != nil {
		return acc, nil, err
	}
	if acc.ID == "" {
		return acc, nil, account.Unknown()
	}
	return acc, all, nil
}

// View returns an account's contacts, masked, by slot.
//
// Faults: NotFound "unknown-account".
func (c *Contacts) View(ctx context.Context, tx *store.Tx, accountID string) ([]View, error) {
	acc, all, err := c.All(ctx, tx, accountID)
	views := make([]View, 0, len(all))
	for _, k := range all {
		views = append(views, k.View(Hints(acc, k)))
	}
	return views, err
}

// Reveal returns a contact whose clear value somebody is about to see, and records that they did. The reason, which a
// person may have written, is sealed.
//
// Events: contact.revealed.
//
// Faults: NotFound "unknown-account", "unknown-contact".
func (c *Contacts) Reveal(ctx context.Context, tx *store.Tx, accountID string, slot Slot, actor, reason string) (Contact, error) {
	acc, r, err := c.read(ctx, tx, accountID, slot)
	if err != nil {
		return Contact{}, err
	}
	if !r.exists() {
		return Contact{}, unknownContact()
	}
	k, err := r.open(acc)
	if err != nil {
		return Contact{}, err
	}
	e := event.Event{
		ID: store.NewID(tx.Now()), Type: "contact.revealed", Account: accountID, Subject: slot.String(), Actor: actor,
		Body: map[string]any{"slot": slot.String(), "kind": string(slot.Kind())},
	}
	if reason != "" {
		e.Sealed = c.o.Keys.Instance().Seal(event.Place(e.ID), []byte(reason))
	}
	event.Append(tx, e)
	return k, nil
}
