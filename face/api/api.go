package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/verify"
)

// Options wire the API. All but the last four are required.
type Options struct {
	DB       *store.DB
	Keys     *seal.Keyring
	Auth     *auth.Auth
	Accounts *account.Accounts
	Contacts *contact.Contacts
	Verifier *verify.Verifier

	Metrics *Metrics                        // nil: nothing is counted, and /metrics is empty
	Ready   func(ctx context.Context) error // whether the service can do its work; nil: whether the database answers
	Version string                          // of the program
	Log     *slog.Logger                    // nil: discard
}

// server has the handlers.
type server struct {
	o       Options
	api     huma.API
	mux     *routes
	running running

	written  []byte // the OpenAPI document
	writeErr error
}

// New returns the handler of all routes: /v1/…, /livez, /readyz and /metrics.
func New(o Options) http.Handler { return newServer(o).mux }

func newServer(o Options) *server {
	if o.Metrics == nil {
		o.Metrics = NewMetrics(MetricsOptions{})
	}
	if o.Ready == nil {
		o.Ready = o.DB.Ping
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &server{o: o, mux: &routes{mux: http.NewServeMux()}}
	s.api = humago.New(s.mux, config(o.Version))
	s.api.UseMiddleware(s.admit)
	s.register()
	s.describe()
	return s
}

// register puts every operation of the table on the mux.
func (s *server) register() {
	handle(s, "put-account", s.putAccount)
	handle(s, "get-account", s.getAccount)
	handle(s, "erase-account", s.eraseAccount)
	handle(s, "list-accounts", s.listAccounts)
	handle(s, "set-contact", s.setContact)
	handle(s, "remove-contact", s.removeContact)
	handle(s, "list-contacts", s.listContacts)
	handle(s, "start-verification", s.startVerification)
	handle(s, "get-verification", s.getVerification)
	handle(s, "resend-code", s.resendCode)
	handle(s, "check-code", s.checkCode)
	handle(s, "defer-contact", s.deferContact)
	handle(s, "list-events", s.listEvents)
	handle(s, "live", s.live)
	handle(s, "ready", s.ready)
	s.page("metrics", s.o.Metrics.Handler())
	s.page("openapi", http.HandlerFunc(s.document))
	s.page("docs", http.HandlerFunc(docsPage))
	s.page("docs-file", http.HandlerFunc(docsFile))
}

// routes is a mux that knows what is on it.
type routes struct {
	mux      *http.ServeMux
	patterns []string
}

func (m *routes) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.patterns = append(m.patterns, pattern)
	m.mux.HandleFunc(pattern, h)
}

func (m *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// sorted returns the patterns, for tests.
func (m *routes) sorted() []string { return slices.Sorted(slices.Values(m.patterns)) }
