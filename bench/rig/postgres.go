package rig

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a PostgreSQL server in which the bench makes databases.
type Cluster struct {
	URL string // of a superuser

	dir  string // of a server of our own; "" for somebody else's
	cmd  *exec.Cmd
	made []string // databases
}

// StartCluster starts a PostgreSQL server with a data directory of its own, durable as a real one is (fsync and synchronous_commit on) and
// with modest memory. Settings such as "work_mem=8MB" come last. It needs Debian's package postgresql; root runs it as the user postgres.
func StartCluster(ctx context.Context, settings ...string) (c *Cluster, err error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	c = &Cluster{}
	if c.dir, err = os.MkdirTemp("", "countersign-bench-postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	who, err := owner(c.dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = who, c.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	c.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", c.data(), "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port),
		"-c", "unix_socket_directories=", "-c", "fsync=on", "-c", "shared_buffers=256MB", "-c", "max_connections=100",
		"-c", "logging_collector=on", "-c", "log_directory=log")
	for _, setting := range settings {
		c.cmd.Args = append(c.cmd.Args, "-c", setting)
	}
	c.cmd.SysProcAttr, c.cmd.Dir = who, c.dir
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return nil, err
	}
	return c, c.answers(ctx)
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// answers returns once the server takes connections.
func (c *Cluster) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Database makes an empty database whose name begins with this one, and returns its URL.
func (c *Cluster) Database(ctx context.Context, name string) (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", err
	}
	name += "_" + strings.ToLower(rand.Text())
	if err := c.admin(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"); err != nil {
		return "", err
	}
	c.made = append(c.made, name)
	u.Path = "/" + name
	return u.String(), nil
}

func (c *Cluster) admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.URL)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Close stops and removes a server of our own, and removes what we made on somebody else's.
func (c *Cluster) Close() (err error) {
	if c.dir == "" {
		for _, name := range c.made {
			err = errors.Join(err, c.admin(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"))
		}
		return err
	}
	if c.cmd != nil {
		err = errors.Join(c.cmd.Process.Signal(syscall.SIGINT), c.cmd.Wait()) // a fast shutdown
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// postgresBin finds the server's programs, which Debian keeps off the PATH.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is missing: apt-get install postgresql, or name a server by -database")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// owner gives the folder to the user that the server is to run as: PostgreSQL refuses root.
func owner(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	who := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return who, os.Chown(dir, int(uid), int(gid))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
