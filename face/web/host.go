package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"countersign.dev/base/fault"
)

// LoopbackOnly lets requests through whose Host header names this machine: localhost or an address of the loopback interface. A
// page of another site that had its own name resolve to 127.0.0.1 is thereby refused (DNS rebinding).
func LoopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			Fail(w, r, fault.New(fault.Forbidden, "host-not-loopback"))
			return
		}
		h.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
