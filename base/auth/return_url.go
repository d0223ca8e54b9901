package auth

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"countersign.dev/base/fault"
)

// ReturnURLs is the operator's list of where the portal may lead back to. The zero value allows nothing.
type ReturnURLs struct {
	list []place
}

// place is an origin (RFC 6454) as scheme://host[:port], in lower case and without the scheme's own port, and a path.
type place struct {
	origin, path string
}

// maxReturnURL bounds a URL for the way back, in bytes.
const maxReturnURL = 2048

// ParseReturnURLs reads the list. Each entry is an https URL, or an http URL of a loopback host, without user, query and fragment.
//
// Faults: Invalid "return-url-form" with the number of the entry, field "return_urls".
func ParseReturnURLs(list []string) (u ReturnURLs, err error) {
	for i, entry := range list {
		p, ok := parsePlace(entry)
		if !ok || strings.ContainsAny(entry, "?#") || !p.safe() {
			return ReturnURLs{}, fault.New(fault.Invalid, "return-url-form", i+1).At("return_urls")
		}
		u.list = append(u.list, p)
	}
	return u, nil
}

// Allow says whether the portal may lead back to raw: its origin is that of an entry and its path is the entry's or below it. What
// servers and browsers are known to read in more than one way is refused, wherever it leads: a user before the host, backslashes,
// characters that RFC 3986 does not know, dot segments and empty ones, and in the path whatever hides one of these behind a percent
// sign. A query and a fragment are the platform's own affair.
//
// Faults: Invalid "return-url-not-listed", field "return_url".
func (u ReturnURLs) Allow(raw string) error {
	p, ok := parsePlace(raw)
	if !ok || !slices.ContainsFunc(u.list, p.below) {
		return fault.New(fault.Invalid, "return-url-not-listed").At("return_url")
	}
	return nil
}

// below tells whether p is at or under q.
func (p place) below(q place) bool {
	rest, found := strings.CutPrefix(p.path, strings.TrimSuffix(q.path, "/"))
	return p.origin == q.origin && found && (rest == "" || rest[0] == '/')
}

func parsePlace(raw string) (p place, ok bool) {
	if len(raw) > maxReturnURL || strings.ContainsFunc(raw, foreign) {
		return p, false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return p, false
	}
	host, ok := hostOf(u)
	if !ok || !plainPath(u.EscapedPath()) {
		return p, false
	}
	return place{u.Scheme + "://" + host, "/" + strings.TrimPrefix(u.EscapedPath(), "/")}, true
}

// foreign is true for what has no place in a URL (RFC 3986 §2). Browsers drop some of it and take backslashes for slashes.
func foreign(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("-._~:/?#[]@!$&'()*+,;=%", r)
}

// hostOf returns host and port as they are compared. A host in any other than its plainest form is not taken.
func hostOf(u *url.URL) (host string, ok bool) {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	host = name
	if strings.Contains(name, ":") {
		host = "[" + name + "]"
	}
	if port != "" {
		host += ":" + port
	}
	if host != strings.ToLower(u.Host) || !isHost(name) {
		return "", false
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return host, true
}

// isHost takes an address, or a name whose last label cannot be read as a number: browsers take 0x7f.1 for an address.
func isHost(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Zone() == "" && addr.String() == name
	}
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	return !slices.Contains(labels, "") && !strings.ContainsAny(name, ":%[]@!$&'()*+,;=~") && (last[0] < '0' || last[0] > '9')
}

// safe is for entries of the list: the way back is encrypted unless it stays on the machine.
func (p place) safe() bool {
	host, plain := strings.CutPrefix(p.origin, "http://")
	return !plain || isLoopback(host)
}

func isLoopback(host string) bool {
	u := url.URL{Host: host}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// plainPath is false for a path that a server may read as another one.
func plainPath(path string) bool {
	for rest := path; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			break
		}
		// A dot or slash, or a percent sign before one, has no reason to be escaped but to be read twice.
		if c, err := url.PathUnescape("%" + after[:2]); err != nil || c[0] < ' ' || c[0] == 0x7f || strings.ContainsAny(c, `%./\`) {
			return false
		}
		rest = after[2:]
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		name, _, _ := strings.Cut(segment, ";") // some servers drop what follows
		if name == "." || name == ".." || segment == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}
