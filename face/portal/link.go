package portal

import (
	"cmp"
	"net/http"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/face/web"
	"countersign.dev/verify"
)

// link is what a link from a mail leads to. With a session of the account that it is for, it can be confirmed; anywhere else its page
// shows the code to type where it was asked for, and can do nothing: a mail scanner that runs scripts and sends every form is such a
// browser.
type link struct {
	*guest
	verify.Verification
	code    string
	session auth.Session
	account string // how the account is called; empty without a session
	target  string // the address, masked; empty without a session
	refused bool   // somebody without a session tried to confirm it
}

// openLink is the page of a link. It changes nothing.
func (p *Portal) openLink(w http.ResponseWriter, g *guest) error {
	m, err := p.follow(g)
	if err != nil {
		return p.linkEnded(w, g, err)
	}
	return g.render(w, http.StatusOK, linkPage(m))
}

// confirmLink confirms a link, in a browser with a session of its account only.
func (p *Portal) confirmLink(w http.ResponseWriter, g *guest) error {
	m, err := p.follow(g)
	if fault.Is(err, "already-used") { // a double click: the first one did it
		if session, found := p.sessionOf(g, m.Account, auth.Verify); found {
			return g.redirect(w, sessionPath(session, "verifications", m.ID))
		}
	}
	if err != nil {
		return p.linkEnded(w, g, err)
	}
	if m.session.ID == "" {
		m.refused, m.page.Failed = true, true
		return g.render(w, http.StatusForbidden, linkPage(m))
	}
	err = p.o.Verifier.ConfirmLink(g.ctx(), g.r.PathValue("token"), m.session.Account, m.session.Actor())
	if err != nil && !fault.Is(err, "already-used") {
		return p.linkEnded(w, g, err)
	}
	return g.redirect(w, sessionPath(m.session, "verifications", m.ID))
}

// follow finds what a link is for, and the session in this browser that may confirm it, if there is one.
func (p *Portal) follow(g *guest) (m link, err error) {
	m.guest = g
	err = p.o.DB.Read(g.ctx(), func(tx *store.Tx) (err error) {
		m.Verification, m.code, err = p.o.Verifier.OpenLink(g.ctx(), tx, g.r.PathValue("token"))
		return err
	})
	if err != nil {
		return m, err
	}
	var found bool
	if m.session, found = p.sessionOf(g, m.Account, auth.Verify); found {
		err = p.nameLink(&m)
	}
	return m, err
}

// nameLink says what is confirmed, as the pages of the session would.
func (p *Portal) nameLink(m *link) error {
	return p.o.DB.Read(m.ctx(), func(tx *store.Tx) error {
		acc, all, err := p.o.Contacts.All(m.ctx(), tx, m.Account)
		if err != nil {
			return err
		}
		m.account = cmp.Or(acc.Name, acc.ID)
		for _, k := range all {
			if k.Slot == m.Slot {
				m.target = newest(k).Masked()
			}
		}
		m.page.Zone = zone(acc.TimeZone)
		if !m.asked() {
			m.speak(locale(m.r, m.session, acc))
		}
		return nil
	})
}

// linkEnded answers for a link that proves nothing any more, and for one that never was.
func (p *Portal) linkEnded(w http.ResponseWriter, g *guest, err error) error {
	e := fault.From(err)
	if id := "portal.link.ended." + e.ID; i18n.Has(g.page.Locale, id+".title") {
		over := e.ID == "already-used" || e.ID == "superseded" || e.ID == "slot-locked"
		return g.render(w, web.Status(e.Kind), linkEndedPage(g, id, over))
	}
	return err
}
