package contact

import (
	"context"
	"errors"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/address"
	"countersign.dev/base/event"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// A mass of refusals says more about us than about the recipients.
const (
	massWindow  = 10 * time.Minute
	massAtLeast = 20
	massTold    = time.Hour // at most one event about it in this time
)

// Downgrade says that a slot's contact needs an update, for a reason that was proved: bounced, complaint,
// disconnected, disputed, or for a verified phone landline. False says that there is nothing to downgrade: no contact,
// one that is downgraded already, or a landline that is not verified (it stays as it is).
//
// Events: contact.needs_update with the reason.
//
// Faults: NotFound "unknown-account".
func (c *Contacts) Downgrade(ctx context.Context, tx *store.Tx, accountID string, slot Slot, reason Reason, actor string) (bool, error) {
	_, r, taken, err := c.take(ctx, tx, accountID, slot, func(_ account.Account, r *record) (bool, error) {
		return r.mayBecome(reason), nil
	})
	if err != nil || !taken {
		return false, err
	}
	r.downgrade(tx, accountID, slot, reason, actor)
	return true, nil
}

// mayBecome tells whether the reason says something new: proof overrides what leaves a contact in force.
func (r *record) mayBecome(reason Reason) bool {
	switch {
	case !r.exists():
		return false
	case inForce(NeedsUpdate, reason):
		return r.state == Verified
	}
	return r.state == Unverified || inForce(r.state, r.reason)
}

func (r *record) downgrade(tx *store.Tx, accountID string, slot Slot, reason Reason, actor string) {
	r.state, r.reason = NeedsUpdate, reason
	if reason == Landline {
		r.line = string(address.FixedLine)
	}
	r.save(tx, accountID)
	tellReason(tx, accountID, slot, "contact.needs_update", r.version, reason, actor)
}

func tellReason(tx *store.Tx, accountID string, slot Slot, name string, version int64, reason Reason, actor string) {
	teller{tx, accountID, slot, actor}.happened(name, map[string]any{"reason": string(reason), "version": version})
}

// DeliveryRefused listens to delivery.refused. When the refusal names the recipient, and the slot still has the value
// that the delivery went to, the contact needs an update; a waiting value that was refused is dropped and the old one
// stays in force. A refusal from before the value was set or verified proves nothing any more. While refusals come in
// a mass it returns event.ErrLater.
//
// Events: contact.needs_update, contact.change_refused.
func (c *Contacts) DeliveryRefused(ctx context.Context, tx *store.Tx, e event.Event) error {
	name, _ := e.Body["slot"].(string)
	slot, err := ParseSlot(name)
	if named, _ := e.Body["recipient"].(bool); err != nil || !named {
		return nil
	}
	index, err := c.o.TargetOf(ctx, tx, e.Account, e.Subject)
	if errors.Is(err, store.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var current, waiting bool
	_, r, taken, err := c.take(ctx, tx, e.Account, slot, func(_ account.Account, r *record) (bool, error) {
		current, waiting = r.refusedBy(index, store.Micros(e.At))
		if !current && !waiting {
			return false, nil
		}
		return true, c.unlessMass(ctx, tx)
	})
	if fault.Is(err, "unknown-account") {
		return nil
	}
	if err != nil || !taken {
		return err
	}
	if current {
		r.downgrade(tx, e.Account, slot, Bounced, event.System)
		return nil
	}
	r.withdraw(store.Micros(tx.Now()))
	r.save(tx, e.Account)
	c.dropWaiting(tx, e.Account, slot)
	tellReason(tx, e.Account, slot, "contact.change_refused", r.version, Bounced, event.System)
	return nil
}

// refusedBy tells which value a refusal at that time is news about.
func (r *record) refusedBy(index []byte, at int64) (current, waiting bool) {
	current, waiting = r.holds(index)
	return current && at >= max(r.setAt, r.verifiedAt) && r.mayBecome(Bounced), waiting && at >= r.pendingAt
}

func (c *Contacts) unlessMass(ctx context.Context, tx *store.Tx) error {
	mass, err := c.mass(ctx, tx)
	if err == nil && mass {
		err = event.ErrLater
	}
	return err
}

func (c *Contacts) mass(ctx context.Context, tx *store.Tx) (bool, error) {
	if c.o.Refusals == nil {
		return false, nil
	}
	refused, finished, err := c.o.Refusals(ctx, tx, tx.Now().Add(-massWindow))
	return refused >= massAtLeast && 2*refused > finished, err
}

// WatchRefusals tells staff that downgrades are paused, once an hour while they are. It runs periodically: where the
// pause is noticed, by DeliveryRefused, nothing can be written, since the event is handed again.
//
// Events: downgrades.paused, of no account.
func (c *Contacts) WatchRefusals(ctx context.Context, db *store.DB) error {
	var mass bool
	err := db.Read(ctx, func(tx *store.Tx) (err error) {
		mass, err = c.mass(ctx, tx)
		return err
	})
	if err != nil || !mass {
		return err
	}
	// A holder of its own each time gets the lease only when nobody has told within its time.
	first, err := db.Lease(ctx, "downgrades-paused", store.NewID(db.Now()), massTold)
	if err != nil || !first {
		return err
	}
	return db.Write(ctx, func(tx *store.Tx) error {
		event.Append(tx, event.Event{Type: "downgrades.paused", Actor: event.System})
		return nil
	})
}
