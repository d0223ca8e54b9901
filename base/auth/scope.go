package auth

import (
	"slices"
	"strings"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

// Scope is something that a key may do.
type Scope string

// The scopes. None includes another, but for All.
const (
	AccountsRead       Scope = "accounts:read"
	AccountsWrite      Scope = "accounts:write"
	ContactsRead       Scope = "contacts:read"
	ContactsWrite      Scope = "contacts:write"
	ContactsReveal     Scope = "contacts:reveal"
	VerificationsRead  Scope = "verifications:read"
	VerificationsWrite Scope = "verifications:write"
	PortalWrite        Scope = "portal:write"
	EventsRead         Scope = "events:read"
	MetricsRead        Scope = "metrics:read"
	Outbox             Scope = "outbox"
	All                Scope = "all"
)

// scopes are all there are, each with the id of its text, in the order in which people see them.
var scopes = []struct {
	scope Scope
	text  string
}{
	{AccountsRead, "scope.accounts-read"},
	{AccountsWrite, "scope.accounts-write"},
	{ContactsRead, "scope.contacts-read"},
	{ContactsWrite, "scope.contacts-write"},
	{ContactsReveal, "scope.contacts-reveal"},
	{VerificationsRead, "scope.verifications-read"},
	{VerificationsWrite, "scope.verifications-write"},
	{PortalWrite, "scope.portal-write"},
	{EventsRead, "scope.events-read"},
	{MetricsRead, "scope.metrics-read"},
	{Outbox, "scope.outbox"},
	{All, "scope.all"},
}

// Scopes returns the name of every scope there is.
func Scopes() []string {
	list := make([]string, len(scopes))
	for i, s := range scopes {
		list[i] = string(s.scope)
	}
	return list
}

// Text says in a sentence what the scope allows; it is empty for a scope that does not exist.
func (s Scope) Text(l i18n.Locale) string {
	for _, known := range scopes {
		if known.scope == s {
			return i18n.Text(l, known.text)
		}
	}
	return ""
}

// ParseScopes returns the scopes with these names, each once and in the order of [Scopes].
//
// Faults: Invalid "unknown-scope" (its text lists those there are), "no-scope", field "scope".
func ParseScopes(names []string) ([]Scope, error) {
	known := strings.Join(Scopes(), ", ")
	if len(names) == 0 {
		return nil, fault.New(fault.Invalid, "no-scope", known).At("scope")
	}
	for _, name := range names {
		if !slices.Contains(Scopes(), name) {
			return nil, fault.New(fault.Invalid, "unknown-scope", known).At("scope")
		}
	}
	var list []Scope
	for _, s := range scopes {
		if slices.Contains(names, string(s.scope)) {
			list = append(list, s.scope)
		}
	}
	return list, nil
}

func namesOf(list []Scope) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = string(s)
	}
	return names
}
