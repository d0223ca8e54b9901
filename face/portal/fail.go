package portal

import (
	"cmp"
	"net/http"
	"path"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
)

// failure is an error as a page: what happened, what to do next, and the one way on.
type failure struct {
	title, text string
	to, label   string    // where the button leads; "" for no button
	typed       []ui.Fact // what was sent and went nowhere
	request     string    // the request's id, when support may ask for it
}

// fail answers with the page that an error is, for somebody who has no session here.
func (p *Portal) fail(w http.ResponseWriter, g *guest, err error) {
	problem := web.Describe(w, g.r, err)
	f := p.wayBack(g, "")
	f.typed = whatWasTyped(w, g)
	p.show(w, g, problem, fault.From(err), f)
}

// failVisit answers with the page that an error is, within a session: the way on is the one to its home, or, when the session may
// not do this, the one to the platform.
func (p *Portal) failVisit(w http.ResponseWriter, v *visit, err error) {
	problem := web.Describe(w, v.r, err)
	f := failure{to: v.path(), label: v.t("portal.fail.home")}
	if problem.Status == http.StatusForbidden {
		f = p.wayBack(&v.guest, v.session.ReturnURL)
	}
	f.typed = whatWasTyped(w, &v.guest)
	p.show(w, &v.guest, problem, fault.From(err), f)
}

// turnAway answers whoever has no session, or one that has ended. What they typed is shown, so that nothing of it is lost; the way
// back is the one that the session named, known only to the browser that was in it.
func (p *Portal) turnAway(w http.ResponseWriter, g *guest, se auth.Session, err error) {
	problem := web.Describe(w, g.r, err)
	if problem.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Cookie") // as RFC 9110 §15.5.2 wants one; no browser asks for a password by it
	}
	p.speakTo(g, se)
	f := p.wayBack(g, se.ReturnURL)
	f.typed = whatWasTyped(w, g)
	p.show(w, g, problem, fault.From(err), f)
}

// wayBack is the way on for whoever has to come through the platform.
func (p *Portal) wayBack(g *guest, returnURL string) failure {
	if to := cmp.Or(returnURL, p.o.Brand.Site); to != "" {
		return failure{to: to, label: g.t("portal.back", p.o.Brand.Name)}
	}
	return failure{}
}

func (p *Portal) show(w http.ResponseWriter, g *guest, problem *web.Problem, e *fault.Error, f failure) {
	id := path.Base(problem.Type)
	f.title, f.text = failTitle(g, id, web.Kind(problem.Status)), words(g.page.Locale, e)
	if problem.Status >= http.StatusInternalServerError {
		f.request = problem.RequestID
	}
	g.page.Title = f.title
	if err := g.render(w, problem.Status, failPage(g, f)); err != nil {
		web.Fail(w, g.r, err)
	}
}

// failTitle is the headline of a fault: its own, or else that of its kind.
func failTitle(g *guest, id string, kind fault.Kind) string {
	if own := "portal.fail." + id; i18n.Has(g.page.Locale, own) {
		return g.t(own)
	}
	return g.t("portal.fail.kind." + kind.String())
}

// typedFields are the fields that a person may have written something into, in the order in which they are shown. A code is not among
// them.
var typedFields = []string{"value", "extension", "reason", "until", "reference", "locale", "time_zone"}

func whatWasTyped(w http.ResponseWriter, g *guest) (all []ui.Fact) {
	if g.r.Method != http.MethodPost {
		return nil
	}
	f, err := g.form(w)
	if err != nil {
		return nil
	}
	for _, name := range typedFields {
		if s := f.get(name); s != "" {
			all = append(all, ui.Fact{Label: g.t("portal.typed." + name), Text: s})
		}
	}
	return all
}

// Problem answers a refusal of [web.Wrap] with a page; it is for its Options.
func (p *Portal) Problem(w http.ResponseWriter, r *http.Request, problem *web.Problem) {
	g := p.guest(r)
	id := path.Base(problem.Type)
	p.show(w, g, problem, fault.New(web.Kind(problem.Status), id), p.wayBack(g, ""))
}

// refuseCrossOrigin answers a form that a page of another site sent. Nothing of it is shown: that site wrote it.
func (p *Portal) refuseCrossOrigin(w http.ResponseWriter, r *http.Request) {
	g, err := p.guest(r), fault.New(fault.Forbidden, "cross-origin")
	p.show(w, g, web.Describe(w, r, err), err, p.wayBack(g, ""))
}
