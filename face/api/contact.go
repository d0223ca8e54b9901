package api

import (
	"context"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// SlotPath is the slot of an account in a path.
type SlotPath struct {
	AccountPath
	Slot string `path:"slot" doc:"email, email-2 to email-5, phone, phone-2 to phone-5." example:"phone"`
}

type contactInput struct {
	Value     string `json:"value" doc:"An e-mail address, or a phone number. A number without + is read in the account's country." example:"+86 138 0013 8000"`
	Extension string `json:"extension,omitempty" doc:"Of a phone number: digits only." example:"12"`
}

type contactJSON struct {
	Slot          string             `json:"slot" example:"phone"`
	Kind          string             `json:"kind" enum:"email,phone" example:"phone"`
	State         string             `json:"state" enum:"unverified,verified,needs_update" example:"verified"`
	Reason        string             `json:"reason,omitempty" doc:"Why the contact needs an update." enum:"bounced,complaint,disconnected,expired,landline,disputed" example:"bounced"`
	Masked        string             `json:"masked" doc:"The value as it may be shown." example:"+86 138 •••• 8000"`
	Value         string             `json:"value,omitempty" doc:"The value in clear, where it was asked for." example:"+8613800138000"`
	LineType      string             `json:"line_type,omitempty" doc:"Of a phone number, by the numbering plan." example:"mobile"`
	VerifiedAt    *time.Time         `json:"verified_at,omitempty" example:"2026-03-03T09:30:00Z"`
	DueAt         *time.Time         `json:"due_at,omitempty" doc:"When the proof will have grown old." example:"2027-03-03T09:30:00Z"`
	PendingChange *pendingChangeJSON `json:"pending_change,omitempty" doc:"A new value that waits for its verification."`
	Hints         []string           `json:"hints,omitempty" doc:"What the account should know about the value: same-as-mailbox, no-sms." example:"[\"no-sms\"]"`
}

type pendingChangeJSON struct {
	Masked      string    `json:"masked" example:"+86 139 •••• 9000"`
	Value       string    `json:"value,omitempty" doc:"The value in clear, where it was asked for." example:"+8613900139000"`
	RequestedAt time.Time `json:"requested_at" example:"2026-03-03T09:30:00Z"`
}

func contactOf(v contact.View) contactJSON {
	c := contactJSON{
		Slot: v.Slot, Kind: string(v.Kind), State: string(v.State), Reason: string(v.Reason), Masked: v.Masked, LineType: v.LineType,
		VerifiedAt: v.VerifiedAt, DueAt: v.DueAt, Hints: v.Hints,
	}
	if p := v.PendingChange; p != nil {
		c.PendingChange = &pendingChangeJSON{Masked: p.Masked, RequestedAt: p.RequestedAt}
	}
	return c
}

// reveal puts the clear values in.
func (c *contactJSON) reveal(k contact.Contact) {
	c.Value = k.String()
	if k.Pending != nil {
		c.PendingChange.Value = k.Pending.String()
	}
}

type contactOut struct {
	Body contactJSON
}

type setContactIn struct {
	SlotPath
	Body contactInput
}

func (s *server) setContact(ctx context.Context, in *setContactIn) (*contactOut, error) {
	slot, err := contact.ParseSlot(in.Slot)
	if err != nil {
		return nil, err
	}
	out := &contactOut{}
	err = s.o.DB.Write(ctx, func(tx *store.Tx) error {
		k, hints, err := s.o.Contacts.Set(ctx, tx, in.Account, slot, in.Body.Value, in.Body.Extension, actorOf(ctx))
		if err == nil {
			out.Body = contactOf(k.View(hints))
		}
		return err
	})
	return out, err
}

func (s *server) removeContact(ctx context.Context, in *SlotPath) (*nothing, error) {
	slot, err := contact.ParseSlot(in.Slot)
	if err != nil {
		return nil, err
	}
	err = s.o.DB.Write(ctx, func(tx *store.Tx) error { return s.o.Contacts.Delete(ctx, tx, in.Account, slot, actorOf(ctx)) })
	return &nothing{}, err
}

type listContactsIn struct {
	AccountPath
	Reveal bool `query:"reveal" doc:"Show the values in clear. Needs the scope contacts:reveal as well, and is recorded." example:"true"`
}

type listContactsOut struct {
	Body struct {
		Contacts []contactJSON `json:"contacts" doc:"By slot."`
	} `nameHint:"ContactList"`
}

func (s *server) listContacts(ctx context.Context, in *listContactsIn) (*listContactsOut, error) {
	out := &listContactsOut{}
	if in.Reveal {
		if !callOf(ctx).key.Has(auth.ContactsReveal) {
			scope := string(auth.ContactsReveal)
			return nil, fault.New(fault.Forbidden, "wrong-scope", scope).At("reveal").With("scope", scope)
		}
		return out, s.o.DB.Write(ctx, func(tx *store.Tx) error { return s.fillContacts(ctx, tx, in.Account, true, out) })
	}
	return out, s.o.DB.Read(ctx, func(tx *store.Tx) error { return s.fillContacts(ctx, tx, in.Account, false, out) })
}

func (s *server) fillContacts(ctx context.Context, tx *store.Tx, accountID string, reveal bool, out *listContactsOut) error {
	acc, all, err := s.o.Contacts.All(ctx, tx, accountID)
	if err != nil {
		return err
	}
	out.Body.Contacts = make([]contactJSON, 0, len(all))
	for _, k := range all {
		c := contactOf(k.View(contact.Hints(acc, k)))
		if reveal {
			if err := s.revealInto(ctx, tx, acc, k, &c); err != nil {
				return err
			}
		}
		out.Body.Contacts = append(out.Body.Contacts, c)
	}
	return nil
}

// revealInto shows what the feature reveals and records, which is what stands there now.
func (s *server) revealInto(ctx context.Context, tx *store.Tx, acc account.Account, k contact.Contact, c *contactJSON) error {
	shown, err := s.o.Contacts.Reveal(ctx, tx, acc.ID, k.Slot, actorOf(ctx), "")
	if err != nil {
		return err
	}
	*c = contactOf(shown.View(contact.Hints(acc, shown)))
	c.reveal(shown)
	return nil
}
