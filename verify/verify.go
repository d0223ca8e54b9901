// Package verify proves emergency contacts: it issues codes, checks them and counts what was tried.
//
// Its promises (NIST SP 800-63A-4 and 63B-4 set the bounds). A code is six uniform digits, used once, and rests
// only as a keyed hash. Each guess is counted in a committed transaction of its own before it is compared, over
// all codes of a verification together. The run of wrong guesses and the cool-down belong to the slot and
// survive new verifications, deletion of the contact and setting it again. All limits are in the database, so
// every node shares them.
//
// The method link sends a token of 128 random bits, from which its six-digit code is derived under a key. OpenLink only
// shows the code, so a mail scanner that follows links, runs scripts and submits forms uses nothing up. ConfirmLink
// proves the contact in one step for a person who is signed in to the account. Token and code live and end together; a
// wrong code counts as any other, a wrong token counts against nobody.
//
// The package leans on account, contact, notice and channel/deliver, and on base. It answers with faults.
package verify

import (
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

// Method is how a contact is proved.
type Method string

// The methods.
const (
	Code Method = "code" // six digits by mail
	Link Method = "link" // a link by mail, which stands for six digits too
	SMS  Method = "sms"  // six digits by text message
)

// State of a verification.
type State string

// The states. All but Pending are final.
const (
	Pending        State = "pending"
	Verified       State = "verified"
	Expired        State = "expired"
	Superseded     State = "superseded"
	Exhausted      State = "exhausted"
	ContactChanged State = "contact_changed"
)

// Limits are the operator's settings; Default has the values that are published.
type Limits struct {
	CodeLife       time.Duration // of a code by mail; at most 24 h
	LinkLife       time.Duration // of a link and its code; at most 24 h
	SMSLife        time.Duration // of a code by text message; at most 10 min
	CoolDown       time.Duration // between two messages to a slot; doubles with each
	CoolDownMax    time.Duration // where the doubling ends
	Quiet          time.Duration // without a message, after which the cool-down begins anew
	Guesses        int           // wrong guesses in one verification
	LockAfter      int           // wrong guesses in a row in a slot, over all its verifications
	Messages       int           // messages in one verification
	SlotADay       int           // messages to one slot in a day
	DestinationDay int           // messages to one destination in a day, over accounts that never verified it
}

// Default returns the limits of a new installation.
func Default() Limits {
	return Limits{
		CodeLife: 30 * time.Minute, LinkLife: 24 * time.Hour, SMSLife: 10 * time.Minute,
		CoolDown: 30 * time.Second, CoolDownMax: time.Hour, Quiet: 24 * time.Hour,
		Guesses: 5, LockAfter: 100, Messages: 5, SlotADay: 10, DestinationDay: 20,
	}
}

// Options wire a Verifier. HasRoute tells whether a channel has a provider.
type Options struct {
	DB       *store.DB
	Keys     *seal.Keyring
	Contacts *contact.Contacts
	Notices  *notice.Registry
	HasRoute func(channel string) bool
	Limits   Limits
}

// Verifier issues and checks.
type Verifier struct{ o Options }

// New returns a Verifier.
func New(o Options) *Verifier { return &Verifier{o: o} }

// life is how long what a method sends can be used.
func (l Limits) life(m Method) time.Duration {
	switch m {
	case Link:
		return l.LinkLife
	case SMS:
		return l.SMSLife
	case Code:
	}
	return l.CodeLife
}

// Verification is one attempt to prove a contact, as others see it. Delivery says what became of its last
// message: queued, accepted, refused or expired. Attempts counts how often that message was handed over, the time
// under way included. Words is what the other side said when it did not take it; only ForHolder and Pending have it,
// because it may hold the address. They also say when the message is tried next while it is queued, and when it was
// accepted or given up (DeliveryAt), and which version of the contact it is about: it proves no other.
type Verification struct {
	ID          string
	Account     string
	Slot        contact.Slot
	State       State
	Method      Method
	StartedAt   time.Time
	ExpiresAt   time.Time
	ResendAfter time.Time
	GuessesLeft int
	Delivery    string
	Attempts    int
	Words       string
	DeliveryAt  time.Time
	Version     int64
}
