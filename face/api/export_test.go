package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Server is what stands behind New.
type Server = server

// NewServer is New, open to tests.
func NewServer(o Options) *Server { return newServer(o) }

// Handler is what New returns.
func (s *server) Handler() http.Handler { return s.mux }

// OpenAPI is the document.
func (s *server) OpenAPI() *huma.OpenAPI { return s.api.OpenAPI() }

// Patterns are those on the mux.
func (s *server) Patterns() []string { return s.mux.Patterns() }

// Run makes as if a request of this API key with this Idempotency-Key were under way, until release.
func (s *server) Run(keyID, idempotencyKey string) (release func()) {
	mac := s.o.Keys.MAC("idempotency-key", keyID, idempotencyKey)
	s.running.take(mac)
	return func() { s.running.leave(mac) }
}
