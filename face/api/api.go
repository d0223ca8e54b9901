package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/web"
	"countersign.dev/verify"
)

// Options wire the API. All but the last four are required.
type Options struct {
	DB        *store.DB
	Keys      *seal.Keyring
	Auth      *auth.Auth
	Sessions  *auth.Sessions
	Accounts  *account.Accounts
	Contacts  *contact.Contacts
	Verifier  *verify.Verifier
	PublicURL string // where people reach the service, without a slash at the end

	Metrics *Metrics                        // nil: nothing is counted, and /metrics is empty
	Ready   func(ctx context.Context) error // whether the service can do its work; nil: whether the database answers
	Version string                          // of the program
	Log     *slog.Logger                    // nil: discard
}

// server has the handlers.
type server struct {
	o       Options
	api     huma.API
	mux     *web.Mux
	routes  []Route
	running running

	written  []byte // the OpenAPI document
	writeErr error
}

// API is the handler of all routes: /v1/…, /livez, /readyz and /metrics.
type API struct {
	*web.Mux
	routes []Route
}

// Route is one operation as the mux knows it, with the scope that a key needs; "" where no key is needed.
type Route struct {
	Pattern string
	Scope   auth.Scope
}

// New returns the API.
func New(o Options) *API {
	s := newServer(o)
	return &API{s.mux, s.routes}
}

// Routes are all that is on the mux.
func (a *API) Routes() []Route { return a.routes }

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
	s := &server{o: o, mux: web.NewMux()}
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
	handle(s, "dispute-change", s.disputeChange)
	handle(s, "open-portal-session", s.openPortalSession)
	handle(s, "end-portal-sessions", s.endPortalSessions)
	handle(s, "list-events", s.listEvents)
	handle(s, "live", s.live)
	handle(s, "ready", s.ready)
	s.page("metrics", s.o.Metrics.Handler())
	s.page("openapi", http.HandlerFunc(s.document))
	s.page("docs", http.HandlerFunc(docsPage))
	s.page("docs-file", http.HandlerFunc(docsFile))
}
