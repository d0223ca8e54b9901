package web

import (
	"net/http"
	"strings"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
)

// Authorise returns the API key that came as a bearer token (RFC 6750 §2.1), if it has the scope.
//
// Faults: those of [auth.Auth.Authenticate]; Forbidden "wrong-scope" with the scope that is needed.
func Authorise(a *auth.Auth, w http.ResponseWriter, r *http.Request, scope auth.Scope) (auth.Key, error) {
	key, err := a.Authenticate(r.Context(), bearer(r))
	if err == nil && !key.Has(scope) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="countersign", error="insufficient_scope", scope="`+string(scope)+`"`)
		err = fault.New(fault.Forbidden, "wrong-scope", string(scope)).With("scope", string(scope))
	}
	return key, err
}

// bearer returns the token of the Authorization header, "" without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
