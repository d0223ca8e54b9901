package apptest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// PostfixDomain is the domain that a [Postfix] takes mail for.
const PostfixDomain = "mailbox.test"

// PostfixServer is a private Postfix on 127.0.0.1 with its own configuration,
// queue and log. It offers STARTTLS, delivers to Maildirs, refuses users that
// it does not know with 550 5.1.1, and can greylist.
type PostfixServer struct {
	Port   int
	CAFile string // the CA of its certificate

	dir      string
	cmd      *exec.Cmd
	greylist *greylist

	mu        sync.Mutex
	delivered int
	changed   chan struct{} // closed and renewed whenever delivered grows
	log       []string
	logDone   chan struct{}
}

// Postfix starts a Postfix (Debian package "postfix") that delivers to the
// given users at [PostfixDomain] and stops when the test ends. Starting it
// needs root, because Postfix gives each of its parts an account of its own.
// Where either is missing the test is skipped; with CI=true it fails.
func Postfix(t testing.TB, users ...string) *PostfixServer {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "Postfix must be started by root")
	}
	if _, err := exec.LookPath("/usr/sbin/postfix"); err != nil {
		Missing(t, "Postfix is missing: apt-get install postfix")
	}
	p := &PostfixServer{changed: make(chan struct{}), logDone: make(chan struct{})}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("Postfix said:\n%s", strings.Join(p.log, "\n"))
		}
	})
	if err := p.start(users); err != nil {
		t.Fatalf("start Postfix: %v", err)
	}
	return p
}

// URL returns the server's address in the form of COUNTERSIGN_SMTP_URL.
func (p *PostfixServer) URL() string { return fmt.Sprintf("smtp://127.0.0.1:%d", p.Port) }

// Greylist switches greylisting: while it is on, the first attempt of each
// client, sender and recipient is deferred with 450 4.2.0.
func (p *PostfixServer) Greylist(on bool) {
	p.greylist.mu.Lock()
	defer p.greylist.mu.Unlock()
	p.greylist.on = on
}

// Deferred returns how many attempts greylisting has deferred.
func (p *PostfixServer) Deferred() int {
	p.greylist.mu.Lock()
	defer p.greylist.mu.Unlock()
	return p.greylist.deferred
}

// Wait returns as soon as at least n mails were delivered to all users
// together, or with the context's error.
func (p *PostfixServer) Wait(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		delivered, changed := p.delivered, p.changed
		p.mu.Unlock()
		if delivered >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Maildir returns the mails that the user has, in the order of delivery.
func (p *PostfixServer) Maildir(user string) ([][]byte, error) {
	files, err := filepath.Glob(filepath.Join(p.dir, "mail", user, "new", "*"))
	if err != nil {
		return nil, err
	}
	var mails [][]byte
	for _, name := range files {
		mail, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		mails = append(mails, mail)
	}
	return mails, nil
}

// Log returns what Postfix has logged so far, a line each.
func (p *PostfixServer) Log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

func (p *PostfixServer) start(users []string) (err error) {
	// Not t.TempDir: Postfix's own accounts must be able to reach it.
	if p.dir, err = os.MkdirTemp("", "countersign-postfix-"); err != nil {
		return err
	}
	if err := os.Chmod(p.dir, 0o755); err != nil {
		return err
	}
	if p.greylist, err = startGreylist(); err != nil {
		return err
	}
	if p.Port, err = freePort(); err != nil {
		return err
	}
	cert, err := newCertificate(p.dir)
	if err != nil {
		return err
	}
	p.CAFile = cert.CAFile
	if err := p.writeConfiguration(cert, users); err != nil {
		return err
	}
	if err := p.run(); err != nil {
		return err
	}
	return p.awaitBanner()
}

// freePort asks the system for a port. Postfix cannot be handed a listener, so
// that another program might take the port in between; that fails the start.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// run starts Postfix in the foreground and follows its log.
func (p *PostfixServer) run() error {
	logRead, logWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd = exec.Command("/usr/sbin/postfix", "-c", filepath.Join(p.dir, "etc"), "start-fg")
	p.cmd.Stdout, p.cmd.Stderr = logWrite, logWrite
	err = p.cmd.Start()
	logWrite.Close()
	if err != nil {
		logRead.Close()
		p.cmd = nil
		return err
	}
	go p.follow(logRead)
	return nil
}

// follow reads the log, which says when a mail is in its Maildir.
func (p *PostfixServer) follow(log io.ReadCloser) {
	defer close(p.logDone)
	defer log.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		p.mu.Lock()
		p.log = append(p.log, lines.Text())
		if strings.Contains(lines.Text(), "status=sent (delivered to maildir)") {
			p.delivered++
			close(p.changed)
			p.changed = make(chan struct{})
		}
		p.mu.Unlock()
	}
}

// awaitBanner returns once the server greets, or fails after a bounded time.
func (p *PostfixServer) awaitBanner() error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := readBanner(net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)), deadline)
		if err == nil {
			return nil
		}
		select {
		case <-p.logDone: // it ended
			return fmt.Errorf("it did not start: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no greeting: %w", err)
		}
	}
}

func readBanner(addr string, deadline time.Time) error {
	conn, err := net.DialTimeout("tcp", addr, time.Until(deadline))
	if err != nil {
		return err
	}
	conn.SetDeadline(deadline)
	text := textproto.NewConn(conn)
	defer text.Close()
	if _, _, err := text.ReadResponse(220); err != nil {
		return err
	}
	id, err := text.Cmd("QUIT")
	if err != nil {
		return err
	}
	text.StartResponse(id)
	defer text.EndResponse(id)
	_, _, err = text.ReadResponse(221)
	return err
}

// stop ends Postfix by the id that its master wrote down, which ends its parts,
// and removes what they left.
func (p *PostfixServer) stop() {
	if p.cmd != nil {
		if err := p.signal(syscall.SIGTERM); err != nil {
			p.cmd.Process.Kill()
		}
		select {
		case <-p.logDone: // the last process has closed it
		case <-time.After(10 * time.Second):
			p.signal(syscall.SIGKILL)
		}
		p.cmd.Wait()
	}
	if p.greylist != nil {
		p.greylist.close()
	}
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}

// signal reaches the master, which leads a session of its own, so that it is
// not the process that was started.
func (p *PostfixServer) signal(which syscall.Signal) error {
	content, err := os.ReadFile(filepath.Join(p.dir, "queue", "pid", "master.pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return err
	}
	return syscall.Kill(pid, which)
}
