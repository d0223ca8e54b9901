package ui

import "net/http"

// policy lets a page load its own style sheet, script and pictures, talk to its own origin and post there; nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pageHeaders are the same for all pages; their values are shared.
//
// The referrer is the origin alone: addresses of pages hold tokens, and what a page loads must not carry them into the log of a
// proxy. It is not left out altogether, since a browser would then send Origin: null with our own forms (Fetch, "append a request
// Origin header"), and those before Sec-Fetch-Site (Safari 16.4) send nothing else that tells them from forms of another site. The
// one feature a page may use is to read a code from a text message.
var pageHeaders = http.Header{
	"Content-Type":                 {"text/html; charset=utf-8"},
	"Content-Security-Policy":      {policy},
	"Referrer-Policy":              {"strict-origin"},
	"Permissions-Policy":           {"otp-credentials=(self), camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"},
	"X-Content-Type-Options":       {"nosniff"},
	"X-Frame-Options":              {"DENY"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Cache-Control":                {"no-store"},
}

// SetHeaders sets the headers of a page: its type, and what keeps it strict and out of caches, frames and logs of others. Under
// form-action 'self' browsers also stop a form whose answer redirects to another origin: lead there by a link.
func SetHeaders(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range pageHeaders {
		h[name] = values
	}
}
