package web

import (
	"net/http"
	"slices"
)

// Mux is an http.ServeMux that knows what is on it, so that a test can hold every route to a rule.
type Mux struct {
	mux    http.ServeMux
	routes []route
}

type route struct {
	pattern string
	handler http.Handler
}

// NewMux returns a mux without routes.
func NewMux() *Mux { return &Mux{} }

// Handle puts a handler on the mux, by the patterns of http.ServeMux.
func (m *Mux) Handle(pattern string, h http.Handler) {
	m.mux.Handle(pattern, h)
	m.routes = append(m.routes, route{pattern, h})
}

// HandleFunc is Handle for a function.
func (m *Mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(h))
}

// Include puts everything that is on another mux on this one. A mux within a mux could not tell a wrong method from an unknown path.
func (m *Mux) Include(other *Mux) {
	for _, r := range other.routes {
		m.Handle(r.pattern, r.handler)
	}
}

// Patterns are those of all routes, sorted.
func (m *Mux) Patterns() []string {
	list := make([]string, len(m.routes))
	for i, r := range m.routes {
		list[i] = r.pattern
	}
	slices.Sort(list)
	return list
}

// ServeHTTP answers with the handler of the route.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }
