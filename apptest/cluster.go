package apptest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a PostgreSQL server that one test has for itself, for what cannot
// be seen from inside a database: its files, its write-ahead log, its dumps.
type Cluster struct {
	Dir string // the data directory

	bin  string
	port int
	run  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
}

// NewCluster starts a server that stops when the test ends. It needs the
// programs of PostgreSQL's server (Debian package "postgresql-15"); where they
// are missing the test is skipped, and with CI=true it fails. PostgreSQL refuses
// to run as root: then the account "postgres" runs it.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	bin, ok := postgresPrograms()
	if !ok {
		Missing(t, "the programs of a PostgreSQL server are missing: apt-get install postgresql-15")
	}
	// Not t.TempDir: the account that runs it must be able to reach it.
	parent, err := os.MkdirTemp("", "countersign-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Dir: filepath.Join(parent, "data"), bin: bin, done: make(chan struct{})}
	t.Cleanup(func() {
		c.stop()
		os.RemoveAll(parent)
		if t.Failed() {
			t.Logf("PostgreSQL said:\n%s", c.Log())
		}
	})
	if err := c.start(t.Context(), parent); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return c
}

// postgresPrograms returns the folder of the newest installed server.
func postgresPrograms() (bin string, ok bool) {
	if name, err := exec.LookPath("initdb"); err == nil {
		if name, err = filepath.EvalSymlinks(name); err == nil {
			return filepath.Dir(name), true
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", false
	}
	return filepath.Dir(slices.Max(found)), true
}

// URL returns the address of a database of the server.
func (c *Cluster) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: "127.0.0.1:" + strconv.Itoa(c.port),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// CreateDatabase makes an empty database and returns its address.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) (address string, err error) {
	return c.URL(name), c.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'")
}

// Exec runs a statement as the server's superuser, such as CHECKPOINT.
func (c *Cluster) Exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// Dump returns what pg_dump writes of a database.
func (c *Cluster) Dump(ctx context.Context, database string) ([]byte, error) {
	return exec.CommandContext(ctx, filepath.Join(c.bin, "pg_dump"), "--dbname", c.URL(database)).Output()
}

// Log returns what the server has written so far.
func (c *Cluster) Log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

// clusterLog is the server's standard output and error.
type clusterLog struct{ *Cluster }

func (l clusterLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(p)
}

func (c *Cluster) start(ctx context.Context, parent string) (err error) {
	owner, err := c.owner(parent)
	if err != nil {
		return err
	}
	init := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"),
		"--pgdata", c.Dir, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	init.SysProcAttr = owner
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if c.port, err = freePort(); err != nil {
		return err
	}
	c.run = exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.Dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(c.port), "-c", "unix_socket_directories=")
	c.run.SysProcAttr = owner
	c.run.Stdout, c.run.Stderr = clusterLog{c}, clusterLog{c}
	if err := c.run.Start(); err != nil {
		c.run = nil
		return err
	}
	go func() {
		defer close(c.done)
		c.run.Wait()
	}()
	return c.awaitConnections(ctx)
}

// owner hands the directory to the account that is to run the server.
func (c *Cluster) owner(parent string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(parent, uid, gid)
}

func (c *Cluster) awaitConnections(ctx context.Context) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := c.Exec(ctx, "SELECT 1")
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-c.done:
			return fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server at once, without waiting for connections.
func (c *Cluster) stop() {
	if c.run == nil {
		return
	}
	c.run.Process.Signal(syscall.SIGINT) // a fast shutdown
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		c.run.Process.Signal(syscall.SIGQUIT)
		<-c.done
	}
}
