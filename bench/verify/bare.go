package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/bench/rig"
)

// bareCommand makes this command do the work bare: in a process of its own, so that its CPU time can be told from the driver's.
const bareCommand = "bare"

// bareJob is what the process is to do.
type bareJob struct {
	Engine     string
	URL        string // of a database with the program's schema
	Postmaster int    // 0 without PostgreSQL
	SMTP       string
	Size       int // of a mail
	C, N       int
}

// runBare does the job in a new process.
func runBare(ctx context.Context, j bareJob) (f figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	job, err := json.Marshal(j)
	if err != nil {
		return f, err
	}
	cmd := exec.CommandContext(ctx, self, bareCommand)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(job), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(out, &f)
}

// serveBare is the other side of runBare.
func serveBare(ctx context.Context, in io.Reader, out io.Writer) error {
	var j bareJob
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return err
	}
	f, err := j.do(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(f)
}

// database runs transactions on one engine as barely as its driver allows.
type database interface {
	do(ctx context.Context, t transaction) error
	close()
}

func (j bareJob) do(ctx context.Context) (f figures, err error) {
	open := openSQLite
	if j.Engine != "sqlite" {
		open = openPostgres
	}
	db, err := open(ctx, j.URL, j.C)
	if err != nil {
		return f, err
	}
	defer db.close()
	w := worker{db: db, mailers: make(chan *mailer, j.C), content: mail(j.Size)}
	for range j.C {
		m, err := dialMailer(j.SMTP)
		if err != nil {
			return f, err
		}
		defer m.conn.Close()
		w.mailers <- m
	}
	warm := min(100, j.N)
	ids := make([]string, j.N+warm)
	for i := range ids {
		ids[i] = store.NewID(time.Now())
	}
	if err := rig.Each(j.C, len(ids), func(i int) error { return db.do(ctx, furnish(ids[i])) }); err != nil {
		return f, err
	}
	if err := rig.Each(j.C, warm, func(i int) error { return w.verify(ctx, ids[j.N+i]) }); err != nil {
		return f, err
	}
	return j.count(func() error {
		return rig.Each(j.C, j.N, func(i int) error { return w.verify(ctx, ids[i]) })
	})
}

// worker does verifications bare.
type worker struct {
	db      database
	mailers chan *mailer
	content string
}

func (w worker) verify(ctx context.Context, id string) error {
	s := newShape(id, time.Now())
	if err := w.all(ctx, s.start()); err != nil {
		return err
	}
	m := <-w.mailers
	err := m.send(id, w.content)
	w.mailers <- m
	if err != nil {
		return err
	}
	return w.all(ctx, s.record(), s.count(), s.consume())
}

func (w worker) all(ctx context.Context, transactions ...transaction) error {
	for _, t := range transactions {
		if err := w.db.do(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// count does the work and takes its time.
func (j bareJob) count(work func() error) (f figures, err error) {
	before, err := j.cpu()
	if err != nil {
		return f, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return f, err
	}
	took := time.Since(began)
	after, err := j.cpu()
	return figures{N: j.N, Took: took, Process: after.Process - before.Process, Database: after.Database - before.Database}, err
}

func (j bareJob) cpu() (f figures, err error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return f, err
	}
	f.Process = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if j.Postmaster != 0 {
		f.Database, err = rig.FamilyCPU(j.Postmaster)
	}
	return f, err
}

// mailer is a connection to the mail server.
type mailer struct{ conn *textproto.Conn }

func dialMailer(smtpURL string) (*mailer, error) {
	u, err := url.Parse(smtpURL)
	if err != nil {
		return nil, err
	}
	conn, err := textproto.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	m := &mailer{conn}
	if _, _, err := conn.ReadResponse(220); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := m.say("EHLO bench.example\r\n", 250); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return m, nil
}

// say sends commands at once and wants these replies.
func (m *mailer) say(commands string, codes ...int) error {
	if _, err := m.conn.W.WriteString(commands); err != nil {
		return err
	}
	if err := m.conn.W.Flush(); err != nil {
		return err
	}
	for _, code := range codes {
		if _, _, err := m.conn.ReadResponse(code); err != nil {
			return err
		}
	}
	return nil
}

func (m *mailer) send(id, content string) error {
	if err := m.say("MAIL FROM:<bare@"+domain+">\r\nRCPT TO:<"+id+"@mail.example>\r\nDATA\r\n", 250, 250, 354); err != nil {
		return err
	}
	return m.say(content+".\r\n", 250)
}

// mail is content of about this many bytes.
func mail(size int) string {
	const line = "A line of a mail that says what a mail of this size could say, nothing.\r\n"
	head := fmt.Sprintf("From: <bare@%s>\r\nSubject: Bare\r\nMessage-ID: <bare@%s>\r\nContent-Type: text/plain\r\n\r\n", domain, domain)
	return head + strings.Repeat(line, max(0, size-len(head))/len(line))
}
