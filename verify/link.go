package verify

import (
	"context"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// OpenLink returns the verification that a link belongs to and the code that it stands for, to be shown to whoever
// types it into the portal. It changes nothing, so a mail scanner may follow the link as often as it likes. ExpiresAt
// is that of the link and its code; what became of the message is not told.
//
// Faults: unknown-link; for a link that was sent, and whose verification takes nothing any more, what became of it:
// already-used, superseded, contact-changed, too-many-guesses, slot-locked, expired. With these the verification is
// returned too, as far as it is known: its id, account and slot.
func (v *Verifier) OpenLink(ctx context.Context, tx *store.Tx, token string) (Verification, string, error) {
	l, err := v.follow(ctx, tx, token)
	if err != nil {
		return Verification{}, "", err
	}
	known := Verification{ID: l.token.verification(), Account: l.account, Slot: l.slot, Method: l.method}
	if err := v.takesLink(l, tx.Now()); err != nil {
		return known, "", err
	}
	version, err := v.o.Contacts.Version(ctx, tx, l.account, l.slot)
	if err == nil && version != l.version {
		err = fault.New(fault.Conflict, "contact-changed")
	}
	if err != nil {
		return known, "", err
	}
	return Verification{
		ID: l.token.verification(), Account: l.account, Slot: l.slot, State: Pending, Method: l.method,
		StartedAt: l.startedAt, ExpiresAt: l.expires, ResendAfter: l.nextAt, GuessesLeft: v.left(l.guesses),
	}, l.token.code(v.o.Keys), nil
}

// ConfirmLink proves a contact by the link that was sent to it, for a person who is signed in to the account that the
// verification is of; to any other it is an unknown link. It uses up the link and its code as Check does, in a
// transaction of its own, and counts no guess: a token is too long to be guessed. Faults: those of OpenLink.
func (v *Verifier) ConfirmLink(ctx context.Context, token, account, actor string) error {
	g, err := v.ownLink(ctx, token, account)
	if err != nil {
		return err
	}
	return v.consume(ctx, g, actor, Around{})
}

// ownLink finds what a link of an account's own would prove. It only reads: a wrong link takes no turn of those who
// write, and what changes before the right one is consumed is found out then.
func (v *Verifier) ownLink(ctx context.Context, token, account string) (g guess, err error) {
	err = v.o.DB.Read(ctx, func(tx *store.Tx) error {
		l, err := v.follow(ctx, tx, token)
		if err != nil {
			return err
		}
		if l.account != account {
			return unknownLink()
		}
		g = guess{id: l.token.verification(), account: l.account, slot: l.slot, version: l.version, byLink: true}
		return v.takesLink(l, tx.Now())
	})
	return g, err
}

// link is one that was sent, with the verification that it belongs to.
type link struct {
	progress
	token   token
	expires time.Time
}

// follow finds what a link belongs to. A wrong token says nothing of the verification that it names.
func (v *Verifier) follow(ctx context.Context, tx *store.Tx, typed string) (link, error) {
	t, ok := readToken(typed)
	if !ok {
		return link{}, unknownLink()
	}
	p, err := v.progress(ctx, tx, t.verification())
	if fault.Is(err, "unknown-verification") {
		return link{}, unknownLink()
	}
	if err != nil {
		return link{}, err
	}
	expires, found := findLive(v.o.Keys, p.tokens, t.hash(v.o.Keys))
	if !found {
		return link{}, unknownLink()
	}
	return link{p, t, expires}, nil
}

func unknownLink() error { return fault.New(fault.NotFound, "unknown-link") }

// takesLink says why a link cannot be used, if it cannot.
func (v *Verifier) takesLink(l link, now time.Time) error {
	if err := v.ended(l.progress, now); err != nil {
		return err
	}
	switch {
	case l.wrongRun >= v.o.Limits.LockAfter:
		return fault.New(fault.Conflict, "slot-locked")
	case !l.expires.After(now):
		return fault.New(fault.Gone, "expired")
	}
	return nil
}
