package portal

import (
	"net/http"
	"strings"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
	"countersign.dev/verify"
)

// Options wire a Portal.
type Options struct {
	DB       *store.DB
	Auth     *auth.Sessions
	Accounts *account.Accounts
	Contacts *contact.Contacts
	Verifier *verify.Verifier
	Brand    *ui.Brand
	Assets   *ui.Assets
	HasRoute func(channel string) bool // whether a channel has a provider
	Secure   bool                      // the pages are served over https
}

// Portal serves the pages.
type Portal struct {
	o      Options
	guard  *http.CrossOriginProtection
	routes []Route
	pages  map[string]bool // the paths of the patterns that can be read
}

// New returns the pages over o.
func New(o Options) *Portal {
	p := &Portal{o: o, guard: http.NewCrossOriginProtection(), pages: map[string]bool{}}
	p.guard.SetDenyHandler(http.HandlerFunc(p.refuseCrossOrigin))
	p.routes = p.table()
	for _, r := range p.routes {
		if path, readable := strings.CutPrefix(r.Pattern, "GET "); readable {
			p.pages[path] = true
		}
	}
	return p
}

// Route is one row of the table of pages.
type Route struct {
	Pattern string     // of the mux: a method and a path
	Session bool       // it needs the session that its path names
	Right   auth.Right // what that session must allow; "" for nothing beyond being there
	handler http.Handler
}

// Routes returns the table of pages.
func (p *Portal) Routes() []Route { return p.routes }

// Register puts the pages on a mux.
func (p *Portal) Register(m *web.Mux) {
	for _, r := range p.routes {
		m.Handle(r.Pattern, p.guard.Handler(r.handler))
	}
}
