package portal

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
)

// Names of the cookies: the prefix, then the session's id. The browser itself sees to it that a cookie named __Host- came over https,
// for this host alone (RFC 6265bis §4.1.3).
const (
	plainPrefix  = "cs-"
	securePrefix = "__Host-cs-"
)

// maxCookies bounds how many sessions a browser keeps a cookie of; with one more it forgets the oldest.
const maxCookies = 8

func (p *Portal) cookiePrefix() string {
	if p.o.Secure {
		return securePrefix
	}
	return plainPrefix
}

// cookie is the browser's secret for a session, "" when it has none.
func (p *Portal) cookie(r *http.Request, session string) string {
	c, err := r.Cookie(p.cookiePrefix() + session)
	if err != nil || !wellFormed(c.Value) {
		return ""
	}
	return c.Value
}

// cookieIDs are the sessions that the browser has a cookie of, the newest first.
func (p *Portal) cookieIDs(r *http.Request) []string {
	var ids []string
	for _, c := range r.Cookies() {
		if id, ours := strings.CutPrefix(c.Name, p.cookiePrefix()); ours && wellFormed(c.Value) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids) // ids sort by time
	slices.Reverse(ids)
	return slices.Compact(ids)
}

// offerCookie gives the browser a secret for a session, unless it has one already. It ends with the browser.
func (p *Portal) offerCookie(w http.ResponseWriter, r *http.Request, session string) {
	if p.cookie(r, session) == "" {
		p.setCookie(w, session, rand.Text(), 0)
	}
}

// dropOldCookies has the browser forget all sessions but the newest, and the one that it just opened.
func (p *Portal) dropOldCookies(w http.ResponseWriter, r *http.Request, opened string) {
	others := slices.DeleteFunc(p.cookieIDs(r), func(id string) bool { return id == opened })
	for _, id := range others[min(len(others), maxCookies-1):] {
		p.setCookie(w, id, "", -1)
	}
}

func (p *Portal) setCookie(w http.ResponseWriter, session, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookiePrefix() + session, Value: value, Path: "/", MaxAge: maxAge,
		Secure: p.o.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// wellFormed tells whether a cookie's value may be one that we gave: at least 128 bits in base32 (crypto/rand.Text).
func wellFormed(s string) bool {
	return len(s) >= 26 && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
