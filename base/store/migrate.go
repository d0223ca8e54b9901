package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"countersign.dev/base/fault"
)

//go:embed migrations/*.sql
var files embed.FS

// migrationLock is the number of the advisory lock that lets one node migrate at a time.
const migrationLock = 0x636f756e74657273

func embedded() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return sub
}

// Migrate brings the schema to this program's version: its own tables, then River's. Several nodes may call it at
// the same time.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.engine.migrate(ctx, portion{db.migrations, db.name}, db.log); err != nil {
		return fmt.Errorf("store: migrating: %w", err)
	}
	return nil
}

// SchemaVersion is the number of the newest migration that the database has; 0 when it has none.
func (db *DB) SchemaVersion(ctx context.Context) (int64, error) {
	return db.newest(ctx, "goose_db_version", "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version")
}

// newest asks for a version that is 0 when the table is not there.
func (db *DB) newest(ctx context.Context, table, query string) (version int64, err error) {
	err = db.Read(ctx, func(tx *Tx) error {
		var exists bool
		if err := tx.QueryRow(ctx, db.engine.tableExists(table)).Scan(&exists); err != nil || !exists {
			return err
		}
		return tx.QueryRow(ctx, query).Scan(&version)
	})
	return version, err
}

// refuseNewer fails when a newer program has migrated the database.
func (db *DB) refuseNewer(ctx context.Context) error {
	have, err := db.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	known, err := newestFile(portion{db.migrations, db.name})
	if err != nil {
		return err
	}
	jobs, err := db.newest(ctx, "river_migration", "SELECT COALESCE(MAX(version), 0) FROM river_migration WHERE line = 'main'")
	if err != nil {
		return err
	}
	jobsKnown, err := db.engine.newestJobSchema()
	if err != nil {
		return err
	}
	if have > known || jobs > int64(jobsKnown) {
		return fault.New(fault.Conflict, "database-newer", max(have, known))
	}
	return nil
}

// portion is the set of migrations for one engine: all files but those with another engine's suffix.
type portion struct {
	fs.FS
	engine Engine
}

// ReadDir and Glob list the files of the engine.
func (p portion) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(p.FS, name)
	var mine []fs.DirEntry
	for _, e := range all {
		if p.has(e.Name()) {
			mine = append(mine, e)
		}
	}
	return mine, err
}

func (p portion) Glob(pattern string) ([]string, error) {
	all, err := fs.Glob(p.FS, pattern)
	var mine []string
	for _, name := range all {
		if p.has(name) {
			mine = append(mine, name)
		}
	}
	return mine, err
}

func (p portion) has(name string) bool {
	for _, other := range []Engine{SQLite, PostgreSQL} {
		if other != p.engine && strings.HasSuffix(name, "_"+string(other)+".sql") {
			return false
		}
	}
	return true
}

// newestFile is the highest number that a file of the set begins with.
func newestFile(set portion) (newest int64, err error) {
	names, err := set.Glob("*.sql")
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("store: the migration %s has no number", name)
		}
		newest = max(newest, v)
	}
	return newest, err
}

// migrateOver runs both sets of migrations.
func migrateOver[T any](
	ctx context.Context, dialect goose.Dialect, db *sql.DB, set fs.FS, jobs riverdriver.Driver[T], log *slog.Logger,
) error {
	own, err := goose.NewProvider(dialect, db, set, goose.WithDisableGlobalRegistry(true), goose.WithSlog(warnOnly(log)))
	if err != nil {
		return err
	}
	if _, err := own.Up(ctx); err != nil {
		return err
	}
	m, err := rivermigrate.New(jobs, &rivermigrate.Config{Logger: warnOnly(log)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func newestOf[T any](jobs riverdriver.Driver[T]) (int, error) {
	m, err := rivermigrate.New(jobs, nil)
	if err != nil {
		return 0, err
	}
	newest := 0
	for _, v := range m.AllVersions() {
		newest = max(newest, v.Version)
	}
	return newest, nil
}

func (l *lite) migrate(ctx context.Context, set fs.FS, log *slog.Logger) error {
	return migrateOver(ctx, goose.DialectSQLite3, l.shared, set, riversqlite.New(l.shared), log)
}

func (l *lite) newestJobSchema() (int, error) { return newestOf(riversqlite.New(l.shared)) }

// migrate works over a pool of its own, where a statement may take long.
func (p *postgres) migrate(ctx context.Context, set fs.FS, log *slog.Logger) (err error) {
	cfg := p.pool.Config()
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = 3, 0, 0
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SET timezone = 'UTC'")
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer pool.Close()
	lock, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	defer func() {
		_, err2 := lock.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		err = cmp.Or(err, err2)
	}()
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	return migrateOver(ctx, goose.DialectPostgres, db, set, riverpgxv5.New(pool), log)
}

func (p *postgres) newestJobSchema() (int, error) { return newestOf(riverpgxv5.New(p.pool)) }
