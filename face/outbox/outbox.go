// Package outbox shows the messages that a service without real channels keeps instead of sending them: GET /outbox for people, GET
// /outbox.json for programs, newest first.
//
// Messages are shown in clear, codes too: whoever reads them here stands for whoever would have received them. So it answers at an
// address of this machine only, and only who has an API key with the scope outbox, or the cookie that a one-time address gives
// (GET /outbox/open). The page needs no script and lets none run.
//
// The package leans on channel/outbox, face/web and base. What it returns is to be served inside [web.Wrap].
package outbox

import (
	"encoding/json"
	"net/http"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/channel/outbox"
	"countersign.dev/face/web"
)

// Options wire a Page. Both are required.
type Options struct {
	Auth *auth.Auth
	Box  *outbox.Outbox
}

// Page serves an outbox at /outbox, /outbox.json and /outbox/open.
type Page struct {
	*web.Mux
	o    Options
	door door
}

// New returns a page over o.
func New(o Options) *Page {
	p := &Page{Mux: web.NewMux(), o: o}
	p.Handle("GET /outbox", web.LoopbackOnly(p.guarded(p.show)))
	p.Handle("GET /outbox.json", web.LoopbackOnly(p.guarded(p.list)))
	p.Handle("GET /outbox/open", web.LoopbackOnly(http.HandlerFunc(p.open)))
	return p
}

// OneTimeURL returns an address under base that opens the outbox to the browser that visits it first.
func (p *Page) OneTimeURL(base string) string { return base + "/outbox/open?token=" + p.door.issue() }

// guarded lets through who may read the messages.
func (p *Page) guarded(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			if _, err := web.Authorise(p.o.Auth, w, r, auth.Outbox); err != nil {
				web.Fail(w, r, err)
				return
			}
		} else if c, err := r.Cookie(cookieName); err != nil || !p.door.opened(c.Value) {
			web.Fail(w, r, fault.New(fault.Unauthenticated, "outbox-closed"))
			return
		}
		h(w, r)
	})
}

// open takes a one-time token for a cookie. HEAD, which looks at links ahead of people, takes nothing.
func (p *Page) open(w http.ResponseWriter, r *http.Request) {
	session, ok := "", false
	if r.Method == http.MethodGet {
		session, ok = p.door.redeem(r.URL.Query().Get("token"))
	}
	if !ok {
		web.Fail(w, r, fault.New(fault.Unauthenticated, "outbox-closed"))
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	http.Redirect(w, r, "/outbox", http.StatusSeeOther)
}

func (p *Page) list(w http.ResponseWriter, r *http.Request) {
	doc, err := json.Marshal(p.o.Box.Messages())
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(doc) // whoever asked may be gone
}
