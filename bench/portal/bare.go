package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// bareCommand makes this command serve one page bare: in a process of its own, so that its CPU time can be told from the driver's.
const bareCommand = "bare"

// bare is the process that does so.
type bare struct {
	url string
	pid int
	cmd *exec.Cmd
	end io.Closer // ends it
}

// startBare starts a server of the same bytes.
func startBare(ctx context.Context, a answer) (*bare, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, bareCommand)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &bare{pid: cmd.Process.Pid, cmd: cmd, end: in}
	err = json.NewEncoder(in).Encode(a)
	if err == nil {
		b.url, err = bufio.NewReader(out).ReadString('\n')
		b.url = strings.TrimSpace(b.url)
	}
	if err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

func (b *bare) stop() error { return errors.Join(b.end.Close(), b.cmd.Wait()) }

// serveBare is the other side of startBare: it serves until its input ends.
func serveBare(ctx context.Context, in io.Reader, out io.Writer) error {
	var page answer
	stream := json.NewDecoder(in)
	if err := stream.Decode(&page); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	page.Header.Del("Date")
	page.Header.Del("Content-Length")
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range page.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(page.Body) // whoever asked may be gone
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	if _, err := fmt.Fprintf(out, "http://%s/\n", l.Addr()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in) // returns when the driver lets go
	if err := s.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
