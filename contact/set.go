package contact

import (
	"context"

	"countersign.dev/account"
	"countersign.dev/base/store"
)

// Set puts a value into a slot and returns what stands there now, with the ids of hints (see Hints). Setting what is
// there already changes nothing.
//
// An unverified contact, or one that no longer works (bounced, complaint, disconnected, disputed), is replaced at
// once. While one is in force (verified, expired, on a landline) the new value waits as Pending until it is verified;
// setting the current value again takes the waiting one back.
//
// A phone number without + is read in the account's country.
//
// Events: contact.set, contact.change_requested or contact.change_cancelled; contact.changed when a contact that had
// been verified was replaced at once; contact.shared when other accounts have this number.
//
// Faults: NotFound "unknown-account"; Invalid "extension-of-an-email" and those of package address.
func (c *Contacts) Set(ctx context.Context, tx *store.Tx, accountID string, slot Slot, value, extension, actor string) (
	k Contact, hints []string, err error,
) {
	var s setting
	acc, r, taken, err := c.take(ctx, tx, accountID, slot, func(acc account.Account, r *record) (bool, error) {
		v, err := parseValue(slot.Kind(), value, extension, acc.Country)
		if err != nil {
			return false, err
		}
		s = setting{c: c, slot: slot, actor: actor, value: v}
		if r.exists() {
			s.old, err = r.open(acc)
		}
		return s.newest() != v.String(), err
	})
	if err != nil {
		return k, nil, err
	}
	if taken {
		s.write(tx, acc, &r)
		if err := s.flagShared(ctx, tx, acc.ID); err != nil {
			return k, nil, err
		}
	}
	k, err = r.open(acc)
	return k, Hints(acc, k), err
}

// setting is one value on its way into a slot; old is the zero Contact when there is none.
type setting struct {
	c     *Contacts
	slot  Slot
	actor string
	value Value
	old   Contact
}

// newest is the value that was set last, in clear; "" for none.
func (s setting) newest() string {
	if s.old.Pending != nil {
		return s.old.Pending.String()
	}
	return s.old.String()
}

func (s setting) write(tx *store.Tx, acc account.Account, r *record) {
	sealed := s.c.seal(acc, s.slot, s.value)
	tell := teller{tx, acc.ID, s.slot, s.actor}
	now := store.Micros(tx.Now())
	switch {
	case r.exists() && s.old.String() == s.value.String():
		r.withdraw(now)
		s.c.dropWaiting(tx, acc.ID, s.slot)
		tell.happened("contact.change_cancelled", r.body())
	case r.exists() && inForce(r.state, r.reason):
		r.propose(sealed, now)
		s.c.await(tx, acc, s.old, r.version)
		tell.happened("contact.change_requested", r.body())
	default:
		wasVerified := r.verifiedAt != 0
		r.replace(sealed, now)
		tell.happened("contact.set", r.body())
		if wasVerified {
			until := s.c.settle(tx, acc, s.old, Changed, r.version)
			tell.happened("contact.changed", r.bodyUntil(until))
		}
	}
	r.save(tx, acc.ID)
}

// sharedSeen bounds the count of other accounts with a number: beyond it more of them say nothing new.
const sharedSeen = 100

const sharedQuery = `SELECT COUNT(*) FROM (SELECT DISTINCT account_id FROM contact WHERE value_index = $1 AND account_id <> $2
	LIMIT $3) AS other`

// flagShared tells staff how many other accounts have this number. Which ones is told to nobody.
func (s setting) flagShared(ctx context.Context, tx *store.Tx, accountID string) error {
	if s.slot.Kind() != Phone || s.old.String() == s.value.String() {
		return nil
	}
	var others int64
	err := tx.QueryRow(ctx, sharedQuery, s.c.index(s.slot.Kind(), s.value), accountID, sharedSeen).Scan(&others)
	if err == nil && others > 0 {
		teller{tx, accountID, s.slot, s.actor}.happened("contact.shared", map[string]any{"accounts": others})
	}
	return err
}

// Delete empties a slot; a waiting change goes too. When the contact had been verified, both sides are told, see
// Windows.
//
// Events: contact.removed, with window_until when the contact had been verified.
//
// Faults: NotFound "unknown-account", "unknown-contact".
func (c *Contacts) Delete(ctx context.Context, tx *store.Tx, accountID string, slot Slot, actor string) error {
	var old Contact
	acc, r, _, err := c.take(ctx, tx, accountID, slot, func(acc account.Account, r *record) (ok bool, err error) {
		if !r.exists() {
			return false, unknownContact()
		}
		old, err = r.open(acc)
		return true, err
	})
	if err != nil {
		return err
	}
	wasVerified := r.verifiedAt != 0
	r.remove(store.Micros(tx.Now()))
	body := r.body()
	if wasVerified {
		body = r.bodyUntil(c.settle(tx, acc, old, Removed, r.version))
	}
	r.save(tx, acc.ID)
	teller{tx, acc.ID, slot, actor}.happened("contact.removed", body)
	return nil
}
