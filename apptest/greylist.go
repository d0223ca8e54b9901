package apptest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// greylist is a Postfix policy server (SMTPD_POLICY_README): while it is on,
// the first attempt of each triplet of client, sender and recipient is deferred
// with 450 4.2.0.
type greylist struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu       sync.Mutex
	on       bool
	seen     map[string]bool
	deferred int
	conns    map[net.Conn]bool
}

func startGreylist() (*greylist, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &greylist{listener: listener, seen: map[string]bool{}, conns: map[net.Conn]bool{}}
	g.serving.Go(g.accept)
	return g, nil
}

func (g *greylist) close() {
	g.listener.Close()
	g.mu.Lock()
	for c := range g.conns {
		c.Close()
	}
	g.mu.Unlock()
	g.serving.Wait()
}

func (g *greylist) accept() {
	for {
		conn, err := g.listener.Accept()
		if err != nil {
			return
		}
		g.mu.Lock()
		g.conns[conn] = true
		g.mu.Unlock()
		g.serving.Go(func() { g.serve(conn) })
	}
}

func (g *greylist) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		g.mu.Lock()
		delete(g.conns, conn)
		g.mu.Unlock()
	}()
	r := bufio.NewReader(conn)
	for {
		request, err := readPolicyRequest(r)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(conn, "action=%s\n\n", g.decide(request)); err != nil {
			return
		}
	}
}

// readPolicyRequest reads name=value lines up to the empty one.
func readPolicyRequest(r *bufio.Reader) (map[string]string, error) {
	request := map[string]string{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return request, nil
		}
		name, value, _ := strings.Cut(line, "=")
		request[name] = value
	}
}

func (g *greylist) decide(request map[string]string) (action string) {
	triplet := strings.Join([]string{request["client_address"], request["sender"], request["recipient"]}, "\x00")
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.on || g.seen[triplet] {
		return "DUNNO"
	}
	g.seen[triplet] = true
	g.deferred++
	return "450 4.2.0 Greylisted, try again later"
}
