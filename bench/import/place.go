package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"countersign.dev/base/store"
	"countersign.dev/bench/rig"
)

// place is where the databases of one engine are made.
type place struct {
	engine     string
	dir        string
	cluster    *rig.Cluster // nil for SQLite
	postmaster int          // its process
}

// openPlace starts a PostgreSQL server if one is needed and none is named.
func openPlace(ctx context.Context, engine, cluster string) (p *place, err error) {
	if engine != string(store.SQLite) && engine != string(store.PostgreSQL) {
		return nil, errors.New("the engines are sqlite and postgres")
	}
	p = &place{engine: engine}
	if p.dir, err = os.MkdirTemp("", "countersign-bench-import-"); err != nil || engine == string(store.SQLite) {
		return p, err
	}
	if p.cluster = (&rig.Cluster{URL: cluster}); cluster == "" {
		p.cluster, err = rig.StartCluster(ctx)
	}
	if err == nil {
		p.postmaster, err = rig.Postmaster(ctx, p.cluster.URL)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// close removes everything.
func (p *place) close() error {
	err := os.RemoveAll(p.dir)
	if p.cluster != nil {
		err = errors.Join(err, p.cluster.Close())
	}
	return err
}

// url is the address of a new, empty database, in place of one of that name that was closed.
func (p *place) url(ctx context.Context, name string) (string, error) {
	if p.cluster != nil {
		return p.cluster.Database(ctx, name)
	}
	dir, err := os.MkdirTemp(p.dir, name+"-")
	return "sqlite:" + filepath.Join(dir, "bench.db"), err
}

// database opens a new database of the newest schema.
func (p *place) database(ctx context.Context, name string) (*store.DB, error) {
	address, err := p.url(ctx, name)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: address})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
