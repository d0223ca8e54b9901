package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/face/api"
	facebox "countersign.dev/face/outbox"
	"countersign.dev/face/portal"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
)

// handler puts the faces together: the API, the portal, and in outbox mode the page that shows messages.
func (m *Main) handler() http.Handler {
	m.metrics = api.NewMetrics(api.MetricsOptions{Backlog: m.backlog, Now: m.Now})
	assets := ui.NewAssets(m.brand)
	m.api = api.New(api.Options{
		DB: m.app.db, Keys: m.app.keys, Auth: m.app.auth, Sessions: m.app.sessions,
		Accounts: m.app.accounts, Contacts: m.app.contacts, Verifier: m.app.verifier, PublicURL: m.publicURL(),
		Metrics: m.metrics, Version: version, Log: m.app.log,
	})
	m.portal = portal.New(portal.Options{
		DB: m.app.db, Auth: m.app.sessions, Accounts: m.app.accounts, Contacts: m.app.contacts, Verifier: m.app.verifier,
		Brand: m.brand, Assets: assets, HasRoute: m.app.queue.Has, Secure: strings.HasPrefix(m.publicURL(), "https://"),
	})
	m.mux = web.NewMux()
	m.mux.Include(m.api.Mux)
	m.portal.Register(m.mux)
	m.mux.Handle("GET /assets/{file}", assets.Handler())
	m.mux.Handle("GET /styleguide", web.LoopbackOnly(ui.Styleguide(m.brand, assets)))
	if m.outbox != nil {
		m.open = facebox.New(facebox.Options{Auth: m.app.auth, Box: m.outbox})
		m.mux.Include(m.open.Mux)
	}
	return web.Wrap(m.mux, web.Options{Log: m.app.log, Observe: m.metrics.Observe, Page: m.portal.Problem})
}

func (m *Main) backlog(ctx context.Context) (queued int, oldest time.Time, err error) {
	err = m.app.db.Read(ctx, func(tx *store.Tx) (err error) {
		queued, oldest, err = deliver.Backlog(ctx, tx)
		return err
	})
	return queued, oldest, err
}

// serveMetrics serves them on an address of their own, where that is set; there they need no key.
func (m *Main) serveMetrics() error {
	if m.Settings.MetricsListen == "" {
		return nil
	}
	l, err := net.Listen("tcp", m.Settings.MetricsListen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.metrics.Handler())
	m.serve(l, mux)
	return nil
}
