// Package outbox shows what channel/outbox keeps: as a page for people and as JSON for programs.
package outbox

import (
	"encoding/json"
	"net/http"
	"strings"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	box "countersign.dev/channel/outbox"
	"countersign.dev/face/web"
)

// Options wire a Page.
type Options struct {
	Outbox *box.Outbox
	Auth   *auth.Auth
}

// Page serves the outbox.
type Page struct{ o Options }

// New returns the page.
func New(o Options) *Page { return &Page{o} }

// OneTimeURL returns an address that opens the page once.
func (p *Page) OneTimeURL(base string) string { return base + "/outbox/open?token=" }

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k, err := p.o.Auth.Authenticate(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err == nil && !k.Has("outbox") {
		err = fault.New(fault.Forbidden, "wrong-scope", "outbox")
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p.o.Outbox.Messages())
}
