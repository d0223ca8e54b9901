package portal

import (
	"crypto/rand"
	"net/http"
	"strings"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// start shows the page with the one button of a one-time URL. It changes nothing but the browser's cookies: whatever fetches links
// ahead of people uses nothing up. Who has pressed the button already is let in again.
func (p *Portal) start(w http.ResponseWriter, g *guest) error {
	se, err := p.find(g)
	if fault.Is(err, "portal-url-used") {
		if own, err := p.o.Auth.Enter(g.ctx(), se.ID, p.cookie(g.r, se.ID)); err == nil {
			return g.redirect(w, landing(own))
		}
	}
	if err != nil {
		return err
	}
	p.offerCookie(w, g.r, se.ID)
	return g.render(w, http.StatusOK, startPage(g, opens(se.Flow), se.EndsAt))
}

// redeem opens the session for the browser that got the cookie with the page.
func (p *Portal) redeem(w http.ResponseWriter, g *guest) error {
	se, err := p.find(g)
	secret := p.cookie(g.r, se.ID)
	if fault.Is(err, "portal-url-used") && secret == "" {
		secret = rand.Text() // nobody's: refused, and on record
	}
	if se, err = p.o.Auth.Redeem(g.ctx(), g.r.PathValue("token"), secret); err != nil {
		return err
	}
	p.dropOldCookies(w, g.r, se.ID)
	return g.redirect(w, landing(se))
}

// find looks a one-time URL up, and has the page speak the language of whoever it is for.
func (p *Portal) find(g *guest) (se auth.Session, err error) {
	err = p.o.DB.Read(g.ctx(), func(tx *store.Tx) (err error) {
		se, err = p.o.Auth.Find(g.ctx(), tx, g.r.PathValue("token"))
		return err
	})
	p.speakTo(g, se)
	return se, err
}

// landing is the page that a session begins on.
func landing(se auth.Session) string {
	if slot, ok := strings.CutPrefix(se.Flow, "verify-"); ok {
		return sessionPath(se, "contacts", slot, "verify")
	}
	if slot, ok := strings.CutPrefix(se.Flow, "change-"); ok {
		return sessionPath(se, "contacts", slot, "change")
	}
	if se.Flow == "settings" {
		return sessionPath(se, "settings")
	}
	return sessionPath(se)
}

// opens is the text that says what a flow opens.
func opens(flow string) string {
	kind, _, _ := strings.Cut(flow, "-")
	switch kind {
	case "verify":
		return "portal.start.opens-verify"
	case "change":
		return "portal.start.opens-change"
	case "settings":
		return "portal.start.opens-settings"
	}
	return "portal.start.opens"
}
