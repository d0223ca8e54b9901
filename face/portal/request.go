package portal

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/face/web/ui"
)

// guest is a request as every handler gets it: with the page in the reader's language, and the time it is answered at.
type guest struct {
	r    *http.Request
	page ui.Page
	now  time.Time
}

// outside is a row for a page that needs no session.
func (p *Portal) outside(pattern string, h func(w http.ResponseWriter, g *guest) error) Route {
	return Route{Pattern: pattern, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := p.guest(r)
		if err := h(w, g); err != nil {
			p.fail(w, g, err)
		}
	})}
}

func (g *guest) ctx() context.Context { return g.r.Context() }

// titled is the frame of a page with its title.
func (g *guest) titled(title string) ui.Page {
	page := g.page
	page.Title = title
	return page
}

// t is a text in the reader's language.
func (g *guest) t(id string, args ...any) string { return g.page.T(id, args...) }

// render answers with a page. Nothing has been sent when it fails.
func (g *guest) render(w http.ResponseWriter, status int, c templ.Component) error {
	var body bytes.Buffer
	if err := c.Render(g.ctx(), &body); err != nil {
		return err
	}
	ui.SetHeaders(w)
	h := w.Header()
	h.Set("Content-Language", string(g.page.Locale))
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // whoever asked may be gone
	return nil
}

// again answers a form that could not be taken with its page, which shows what was typed and what is wrong.
func (g *guest) again(w http.ResponseWriter, f *form, c templ.Component) error {
	g.page.Failed = true
	f.retry(w)
	return g.render(w, f.status, c)
}

// redirect sends the browser on to a page of ours, with GET. Whatever is no path of ours is a defect.
func (g *guest) redirect(w http.ResponseWriter, to string) error {
	if !ownPath(to) {
		return fault.New(fault.Internal, "internal")
	}
	http.Redirect(w, g.r, to, http.StatusSeeOther)
	return nil
}

// ownPath tells whether a browser resolves s to this origin: a path from the root, with no second slash or backslash that would make
// it a host (WHATWG URL: backslashes count as slashes, tabs and line breaks are dropped).
func ownPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsFunc(s, func(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host == "" && u.Scheme == ""
}

// path is a page of the session: path("contacts", "email", "verify").
func (v *visit) path(parts ...string) string { return sessionPath(v.session, parts...) }

func sessionPath(se auth.Session, parts ...string) string {
	var b strings.Builder
	b.WriteString("/s/")
	b.WriteString(se.ID)
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(part))
	}
	return b.String()
}
