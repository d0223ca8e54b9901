package portal

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// overview is what home shows.
type overview struct {
	done   string // what was just done, in a sentence; "" for nothing
	cards  []card
	add    []action // further contacts that can be set
	limits []limit  // what the session may not do
	recent []happening
}

// recentEvents is how many of the last things that happened home shows.
const recentEvents = 5

// home shows the account's contacts, what to do about each, and what happened lately. It takes five statements with those that let
// the session in.
func (p *Portal) home(w http.ResponseWriter, v *visit) error {
	var pending map[contact.Slot]verify.Verification
	var waits map[contact.Slot]contact.Wait
	o := overview{done: v.done(), add: v.further(), limits: v.limits()}
	err := p.o.DB.Read(v.ctx(), func(tx *store.Tx) (err error) {
		if pending, err = p.o.Verifier.Pending(v.ctx(), tx, v.account); err != nil {
			return err
		}
		if waits, err = p.o.Contacts.Waits(v.ctx(), tx, v.account.ID); err != nil {
			return err
		}
		o.recent, _, err = v.history(v.ctx(), tx, "", recentEvents, 1)
		return err
	})
	if err != nil {
		return err
	}
	for _, slot := range v.slots() {
		s := standing{slot: slot, wait: p.o.Contacts.FullBudget()}
		if k, found := v.contact(slot); found {
			s.contact = &k
			if one, open := pending[slot]; open && proves(k, one) {
				s.pending = &one
			}
		}
		if wait, found := waits[slot]; found {
			s.wait = wait
		}
		o.cards = append(o.cards, p.card(v, s))
	}
	chooseMain(o.cards)
	return v.render(w, http.StatusOK, homePage(v, o))
}

// chooseMain marks the one main action: that of the first of the most urgent cards.
func chooseMain(cards []card) {
	var most *card
	for i := range cards {
		if c := &cards[i]; c.next != nil && c.urgency > calm && (most == nil || c.urgency > most.urgency) {
			most = c
		}
	}
	if most != nil {
		most.main = true
	}
}

// slots are those that home has a card for: the first of each kind, and whatever else holds a contact, by kind and rank.
func (v *visit) slots() []contact.Slot {
	list := []contact.Slot{slotOf(contact.Email, 1), slotOf(contact.Phone, 1)}
	for _, k := range v.contacts {
		if k.Slot.Rank() > 1 {
			list = append(list, k.Slot)
		}
	}
	slices.SortFunc(list, func(a, b contact.Slot) int {
		return cmp.Or(cmp.Compare(a.Kind(), b.Kind()), cmp.Compare(a.Rank(), b.Rank()))
	})
	return list
}

// slotOf is the slot of a kind and a rank, which exists up to rank 5.
func slotOf(kind contact.Kind, rank int) contact.Slot {
	name := string(kind)
	if rank > 1 {
		name += "-" + strconv.Itoa(rank)
	}
	slot, _ := contact.ParseSlot(name)
	return slot
}

// further are the next free slots of the kinds that have a first contact already.
func (v *visit) further() (list []action) {
	if !v.may(auth.Change) {
		return nil
	}
	for _, kind := range []contact.Kind{contact.Email, contact.Phone} {
		free := 0
		for rank := 5; rank > 1; rank-- {
			if _, taken := v.contact(slotOf(kind, rank)); !taken {
				free = rank
			}
		}
		if _, first := v.contact(slotOf(kind, 1)); first && free > 0 {
			list = append(list, action{v.t("portal.home.further-" + string(kind)), v.path("contacts", slotOf(kind, free).String(), "change")})
		}
	}
	return list
}

// limit is something that the session may not do: what, and why and what to do about it.
type limit struct{ title, text string }

func (v *visit) limits() (list []limit) {
	say := func(title, text string) { list = append(list, limit{v.t(title), v.t(text, v.page.Brand.Name)}) }
	change := v.session.Allows(auth.Change, v.now)
	stale := fault.Is(change, "authentication-too-old")
	switch {
	case !v.may(auth.Verify) && change != nil && !stale:
		say("portal.home.no-task", "portal.home.no-permission")
	case !v.may(auth.Verify):
		say("portal.home.no-verify", "portal.home.no-permission")
	case change != nil && !stale:
		say("portal.home.no-change", "portal.home.no-permission")
	}
	if stale {
		say("portal.home.stale", "portal.home.stale-why")
	}
	return list
}

// done says what a task that led here did: the address names it by one of a few fixed words.
func (v *visit) done() string {
	switch what := v.r.URL.Query().Get("done"); what {
	case "removed", "deferred", "withdrawn":
		return v.t("portal.home.done-" + what)
	}
	return ""
}
