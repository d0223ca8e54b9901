package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/face/api"
	facebox "countersign.dev/face/outbox"
	"countersign.dev/face/web"
)

// handler puts the faces together: the API, and in outbox mode the page that shows messages.
func (m *Main) handler() http.Handler {
	m.metrics = api.NewMetrics(api.MetricsOptions{Backlog: m.backlog, Now: m.Now})
	mux := http.NewServeMux()
	mux.Handle("/", api.New(api.Options{
		DB: m.app.db, Keys: m.app.keys, Auth: m.app.auth,
		Accounts: m.app.accounts, Contacts: m.app.contacts, Verifier: m.app.verifier,
		Metrics: m.metrics, Version: version, Log: m.app.log,
	}))
	if m.outbox != nil {
		m.open = facebox.New(facebox.Options{Auth: m.app.auth, Box: m.outbox})
		mux.Handle("/outbox", m.open)
		mux.Handle("/outbox.json", m.open)
		mux.Handle("/outbox/", m.open)
	}
	return web.Wrap(mux, web.Options{Log: m.app.log, Observe: m.metrics.Observe})
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
