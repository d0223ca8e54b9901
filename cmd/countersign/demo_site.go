package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"

	"countersign.dev/base/i18n"
	"countersign.dev/face/web"
)

var (
	//go:embed sample/site.html
	siteHTML string
	//go:embed sample/site.css
	siteCSS []byte
	//go:embed sample/logo.svg
	sampleLogo []byte

	sitePage = template.Must(template.New("site").Parse(siteHTML))
)

// site is the sample marketplace's own site: it knows who is signed in and opens the portal for them, over the API, as an
// integrator does.
type site struct {
	api      *apiClient
	url      string
	messages func() string // an address that opens the outbox once
}

// handler serves the site. It is for the machine it runs on.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.sellers)
	mux.HandleFunc("POST /open", s.open)
	mux.HandleFunc("GET /messages", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.messages(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /site.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(siteCSS) // whoever asked may be gone
	})
	return web.LoopbackOnly(http.NewCrossOriginProtection().Handler(mux))
}

// seller is an account as the site lists it.
type seller struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Locale   string `json:"locale"`
	Returned bool   // it was this one's pages that the visitor comes from
	Contacts []struct{ State, Masked string }
}

func (s *site) sellers(w http.ResponseWriter, r *http.Request) {
	page := sitePageData{Locale: web.Locale(r), Platform: samplePlatform}
	var list struct{ Accounts []seller }
	if err := s.api.get(r.Context(), "/v1/accounts", &list); err != nil {
		web.Fail(w, r, err)
		return
	}
	for _, one := range list.Accounts {
		one.Returned = one.ID == r.URL.Query().Get("account")
		var found struct {
			Contacts []struct{ State, Masked string }
		}
		if err := s.api.get(r.Context(), "/v1/accounts/"+url.PathEscape(one.ID)+"/contacts", &found); err != nil {
			web.Fail(w, r, err)
			return
		}
		one.Contacts = found.Contacts
		page.Sellers = append(page.Sellers, one)
	}
	var b bytes.Buffer
	if err := sitePage.Execute(&b, page); err != nil {
		web.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+s.api.url+"; frame-ancestors 'none'")
	_, _ = w.Write(b.Bytes()) // whoever asked may be gone
}

// open makes a portal session for the seller who is "signed in" and sends the browser there.
func (s *site) open(w http.ResponseWriter, r *http.Request) {
	account := r.PostFormValue("account")
	body, err := json.Marshal(map[string]any{"account": account, "return_url": s.url + "/?account=" + url.QueryEscape(account)})
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	answer, err := s.api.send(r.Context(), http.MethodPost, "/v1/portal-sessions", body)
	var opened struct{ URL string }
	if err == nil {
		err = json.Unmarshal(answer, &opened)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, opened.URL, http.StatusSeeOther)
}

// sitePageData is what the site's page shows.
type sitePageData struct {
	Locale   i18n.Locale
	Platform string
	Sellers  []seller
}

// Say returns a text in the reader's language.
func (p sitePageData) Say(id string) string { return i18n.Text(p.Locale, id) }

// State is a contact's state in words.
func (p sitePageData) State(state string) string { return i18n.Text(p.Locale, "demo.state."+state) }

// Open names the button of a seller.
func (p sitePageData) Open(name string) string { return i18n.Text(p.Locale, "demo.open-of", name) }
