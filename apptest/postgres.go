package apptest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"countersign.dev/base/store"
)

// postgresVariable names the environment variable with the URL of a PostgreSQL
// cluster in which the tests may create and drop databases.
const postgresVariable = "COUNTERSIGN_TEST_POSTGRES"

// databasePrefix begins the name of every database that the tests create, so
// that what a killed run left behind can be told from everything else.
const databasePrefix = "cstest_"

// PostgresURL creates a database in the cluster that the environment variable
// COUNTERSIGN_TEST_POSTGRES names (a superuser's postgres:// URL), migrated to
// the newest schema, and returns its URL. The database is dropped when the test
// ends. Without the variable the test is skipped; with CI=true it fails.
func PostgresURL(t testing.TB) string {
	t.Helper()
	c := postgresCluster(t)
	name, err := c.create(t.Context())
	if err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.drop(context.Background(), name); err != nil {
			t.Errorf("drop a test database: %v", err)
		}
	})
	return c.url(name)
}

// PostgresVersion returns the server_version_num of the test cluster.
func PostgresVersion(t testing.TB) (version int) {
	t.Helper()
	c := postgresCluster(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.admin.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// cluster creates databases for one test process. They are copies of a template
// that is migrated once: copying takes a fraction of the time.
type cluster struct {
	mu    sync.Mutex // one connection, one CREATE DATABASE at a time
	admin *pgx.Conn
	base  url.URL
	tag   string
	count int
}

var openCluster = sync.OnceValues(func() (*cluster, error) {
	return newCluster(context.Background(), os.Getenv(postgresVariable))
})

func postgresCluster(t testing.TB) *cluster {
	t.Helper()
	if os.Getenv(postgresVariable) == "" {
		Missing(t, postgresVariable+" is not set: it names a PostgreSQL cluster (postgres://superuser@127.0.0.1:port/postgres) in which tests may create databases")
	}
	c, err := openCluster()
	if err != nil {
		t.Fatalf("%s: %v", postgresVariable, err)
	}
	return c
}

// newCluster connects for the life of the process. The connection holds an
// advisory lock by which later processes see that this one still runs, so that
// they remove the databases of killed runs only.
func newCluster(ctx context.Context, address string) (*cluster, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("not a postgres:// URL")
	}
	admin, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	c := &cluster{admin: admin, base: *base, tag: newTag()}
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", c.tag); err != nil {
		return nil, err
	}
	if err := c.sweep(ctx); err != nil {
		return nil, fmt.Errorf("remove databases of killed runs: %w", err)
	}
	return c, c.makeTemplate(ctx)
}

func newTag() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// sweep drops the databases of processes that are gone.
func (c *cluster) sweep(ctx context.Context) error {
	rows, err := c.admin.Query(ctx, "SELECT datname, split_part(datname, '_', 2) FROM pg_database WHERE starts_with(datname, $1)", databasePrefix)
	if err != nil {
		return err
	}
	type found struct{ Name, Tag string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.Tag == c.tag {
			continue
		}
		var dead bool
		if err := c.admin.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtext($1))", f.Tag).Scan(&dead); err != nil {
			return err
		}
		if !dead {
			continue
		}
		if err := c.drop(ctx, f.Name); err != nil {
			return err
		}
		if _, err := c.admin.Exec(ctx, "SELECT pg_advisory_unlock(hashtext($1))", f.Tag); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) template() string { return databasePrefix + c.tag + "_template" }

func (c *cluster) makeTemplate(ctx context.Context) error {
	create := "CREATE DATABASE " + quote(c.template()) + " TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"
	if _, err := c.admin.Exec(ctx, create); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{URL: c.url(c.template())})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		db.Close()
		return err
	}
	return db.Close()
}

func (c *cluster) create(ctx context.Context) (name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	name = fmt.Sprintf("%s%s_%d", databasePrefix, c.tag, c.count)
	_, err = c.admin.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(c.template()))
	return name, err
}

func (c *cluster) drop(ctx context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	return err
}

func (c *cluster) url(name string) string {
	u := c.base
	u.Path = "/" + name
	return u.String()
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
