package portal

import (
	"net/http"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
)

// visit is a request within a session that is in force and allows what the route asks for.
type visit struct {
	guest
	session  auth.Session
	account  account.Account
	contacts []contact.Contact // by slot
}

// inside is a row for a page of a session.
func (p *Portal) inside(pattern string, right auth.Right, h func(w http.ResponseWriter, v *visit) error) Route {
	return Route{Pattern: pattern, Session: true, Right: right, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := p.guest(r)
		v, err := p.enter(g)
		if err != nil {
			p.turnAway(w, g, v.session, err)
			return
		}
		if right != "" {
			err = v.session.Allows(right, v.now)
		}
		if err == nil {
			err = h(w, v)
		}
		if err != nil {
			p.failVisit(w, v, err)
		}
	})}
}

// enter finds the session that the path names and the browser's cookie opens, its account and contacts, in two statements.
func (p *Portal) enter(g *guest) (*visit, error) {
	v := &visit{guest: *g}
	id := g.r.PathValue("session")
	se, err := p.o.Auth.Enter(g.ctx(), id, p.cookie(g.r, id))
	v.session = se
	if err != nil {
		return v, err
	}
	err = p.o.DB.Read(g.ctx(), func(tx *store.Tx) (err error) {
		v.account, v.contacts, err = p.o.Contacts.All(g.ctx(), tx, se.Account)
		return err
	})
	if fault.Is(err, "unknown-account") { // erased since
		err = fault.New(fault.Unauthenticated, "session-unknown")
	}
	if err != nil {
		return v, err
	}
	v.page = p.frame(v)
	return v, nil
}

// may tells whether the session allows something now.
func (v *visit) may(r auth.Right) bool { return v.session.Allows(r, v.now) == nil }

// contact is what stands in a slot.
func (v *visit) contact(s contact.Slot) (contact.Contact, bool) {
	for _, k := range v.contacts {
		if k.Slot == s {
			return k, true
		}
	}
	return contact.Contact{}, false
}

// slot is the slot that the path names.
//
// Faults: NotFound "not-found".
func (g *guest) slot() (contact.Slot, error) {
	s, err := contact.ParseSlot(g.r.PathValue("slot"))
	if err != nil {
		return s, fault.New(fault.NotFound, "not-found")
	}
	return s, nil
}

// sessionOf finds a session in force of an account that allows something among the browser's cookies, for pages that have none in
// their path.
func (p *Portal) sessionOf(g *guest, account string, right auth.Right) (auth.Session, bool) {
	ids := p.cookieIDs(g.r)
	for _, id := range ids[:min(len(ids), maxCookies)] {
		if se, err := p.o.Auth.Enter(g.ctx(), id, p.cookie(g.r, id)); err == nil && se.Account == account && se.Allows(right, g.now) == nil {
			return se, true
		}
	}
	return auth.Session{}, false
}

// signOut ends the session. The page that follows finds it ended and says how to come back; the cookie stays, for it knows the way.
func (p *Portal) signOut(w http.ResponseWriter, v *visit) error {
	if err := p.o.DB.Write(v.ctx(), func(tx *store.Tx) error { return p.o.Auth.End(v.ctx(), tx, v.session) }); err != nil {
		return err
	}
	return v.redirect(w, v.path())
}
