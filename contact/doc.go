// Package contact keeps the emergency contacts of accounts: an e-mail address or a phone number in each slot, whether
// it is proved, and what happens when it changes, grows old or stops working.
//
// A contact is unverified, verified, or needs an update for a reason. A verified one stays in force while a new value
// waits for its proof; when one that had been verified is replaced or removed, both sides are told for a window of 72
// hours, which no later change shortens. Each value that is set gets a version, and a proof counts only for the
// version that it was made for. Versions of a slot grow and never return: a removed contact leaves its row, emptied.
// Who stood there before can dispute such a change with a code that their message carried, once; alone that changes
// nothing. The account's own "not now" has a budget and changes no eligibility. What is shown is masked; showing a clear
// value is an event.
//
// Every change of a contact claims or touches its account first (see package account) and appends an event without
// personal data, so that what must react need not be called.
//
// The package leans on account, base/store, base/seal, base/event, base/ratelimit, base/address and base/fault.
package contact

import (
	"context"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/address"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// Options wire Contacts. Keys and Accounts are required; zero durations and counts get the defaults named.
type Options struct {
	Keys     *seal.Keyring
	Accounts *account.Accounts

	MaxAge        time.Duration // how long a proof counts; 365 days
	RemindBefore  time.Duration // how long before its end the account is reminded; 30 days
	ChangeWindow  time.Duration // how long both sides are told after a change; 72 hours
	DeferralDays  int           // the budget of deferrals of one slot; 14
	DeferralTimes int           // and how many there may be; 3

	// TargetOf returns the blind index of the address that a delivery went to, store.ErrNoRows when there is no
	// such delivery. Required where DeliveryRefused listens.
	TargetOf func(ctx context.Context, tx *store.Tx, accountID, deliveryID string) ([]byte, error)
	// Refusals counts the deliveries that ended since a time and those of them that were refused for good. Nil:
	// nothing is known of a mass, and no downgrade waits.
	Refusals func(ctx context.Context, tx *store.Tx, since time.Time) (refused, finished int, err error)
}

// Contacts reads and changes contacts. It holds no state and is safe for concurrent use.
type Contacts struct {
	o Options
}

const day = 24 * time.Hour

// New returns Contacts over o.
func New(o Options) *Contacts {
	orDefault(&o.MaxAge, 365*day)
	orDefault(&o.RemindBefore, 30*day)
	orDefault(&o.ChangeWindow, 3*day)
	orDefault(&o.DeferralDays, 14)
	orDefault(&o.DeferralTimes, 3)
	return &Contacts{o: o}
}

func orDefault[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// State of a contact.
type State string

// The states.
const (
	Unverified  State = "unverified"
	Verified    State = "verified"
	NeedsUpdate State = "needs_update"

	removed State = "removed" // the emptied row of a contact that is no more; never shown
)

// Reason why a contact needs an update; empty in the other states.
type Reason string

// The reasons. Bounced, Complaint, Disconnected and Disputed leave nothing but a new verification; an Expired contact
// still gets critical notices and calls, one on a Landline still gets voice.
const (
	Bounced      Reason = "bounced"
	Complaint    Reason = "complaint"
	Disconnected Reason = "disconnected"
	Expired      Reason = "expired"
	Landline     Reason = "landline"
	Disputed     Reason = "disputed"
)

// inForce tells whether a contact in this state is still used, so that a new value has to wait for its proof.
func inForce(s State, r Reason) bool {
	return s == Verified || s == NeedsUpdate && (r == Expired || r == Landline)
}

// Contact is what stands in a slot, opened. VerifiedAt and DueAt (when the proof grows old) are zero unless this value
// was verified. Line is the phone's line type, corrected by what was found out since it was set.
type Contact struct {
	Account string
	Slot    Slot
	State   State
	Reason  Reason
	Version int64
	Value
	Line       address.LineType
	SetAt      time.Time
	VerifiedAt time.Time
	DueAt      time.Time
	Pending    *Pending // nil: no change waits
}

// InForce tells whether the contact is still used, so that a new value waits for its proof beside it.
func (k Contact) InForce() bool { return inForce(k.State, k.Reason) }

// Pending is a new value that waits for its proof while the old one is in force.
type Pending struct {
	Value
	At time.Time
}
