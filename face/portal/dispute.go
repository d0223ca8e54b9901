package portal

import (
	"net/http"

	"golang.org/x/text/width"

	"countersign.dev/base/fault"
	"countersign.dev/contact"
	"countersign.dev/notice"
)

// disputeActor is who disputes a change with the code that was sent to the contact which stood there before.
const disputeActor = "dispute-code"

// The query of the page that a dispute ends on. It says nothing of what was disputed.
const (
	sentQuery = "sent"
	sentOnce  = "1"
	sentAgain = "again"
)

// dispute is the page on which somebody says "this was not me". Reference and code are typed, never read from the address, so that no
// link can dispute anything.
func (p *Portal) dispute(w http.ResponseWriter, g *guest) error {
	switch sent := g.r.URL.Query().Get(sentQuery); sent {
	case sentOnce, sentAgain:
		g.page.SwitchURL += "&" + sentQuery + "=" + sent
		return g.render(w, http.StatusOK, disputedPage(g, sent == sentAgain))
	}
	return g.render(w, http.StatusOK, disputePage(g, nil))
}

// sendDispute takes a reference and its code.
func (p *Portal) sendDispute(w http.ResponseWriter, g *guest) error {
	f, err := g.form(w)
	if err != nil {
		return err
	}
	d, err := p.disputeWith(g, f)
	if err != nil {
		return err
	}
	if f.wrong() {
		return g.again(w, f, disputePage(g, f))
	}
	to := "/dispute?" + sentQuery + "=" + sentOnce
	if d.Again {
		to = "/dispute?" + sentQuery + "=" + sentAgain
	}
	if g.asked() {
		to += "&" + langQuery + "=" + string(g.page.Locale)
	}
	return g.redirect(w, to)
}

// disputeWith disputes what the form names. What is wrong with both fields is said at once; nothing is counted then.
func (p *Portal) disputeWith(g *guest, f *form) (d contact.Dispute, err error) {
	reference, err := notice.ParseReference(width.Narrow.String(f.get("reference")))
	if err := f.refuse(err); err != nil {
		return d, err
	}
	if f.get("code") == "" {
		if err := f.refuse(fault.New(fault.Invalid, "dispute-code-malformed").At("code")); err != nil {
			return d, err
		}
	}
	if f.wrong() {
		return d, nil
	}
	d, err = p.o.Contacts.DisputeByCode(g.ctx(), p.o.DB, string(reference), f.get("code"), disputeActor)
	return d, f.refuse(err)
}
