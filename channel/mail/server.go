package mail

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"countersign.dev/base/fault"
)

// TLSPolicy says what a connection to the mail server must be.
type TLSPolicy string

// The policies. Each but the first is the value of ?starttls= with smtp://.
const (
	TLSImplicit      TLSPolicy = "implicit"      // TLS from the first byte: smtps:// (RFC 8314)
	TLSAlways        TLSPolicy = "always"        // STARTTLS with a verified certificate, or nothing is sent
	TLSOpportunistic TLSPolicy = "opportunistic" // STARTTLS when the server offers it
	TLSNever         TLSPolicy = "never"         // clear text
)

// Server is the mail server that takes our messages. Its printed form has no credentials.
type Server struct {
	Host string
	Port int
	TLS  TLSPolicy

	user, password string
}

// ParseURL reads smtp://[user:pass@]host[:port][?starttls=always|opportunistic|never] or smtps://[user:pass@]host[:port]. Without a
// port it is 587 (RFC 6409), with smtps 465 (RFC 8314). Without a policy STARTTLS is required, unless the host is loopback, where it is
// used when offered. Faults: smtp-url-malformed, smtp-url-scheme, smtp-url-host, smtp-url-rest, smtp-url-credentials,
// smtp-url-option, smtp-url-starttls, smtp-auth-needs-tls; none holds any part of the URL.
func ParseURL(s string) (Server, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Server{}, invalid("smtp-url-malformed") // the parser's own error repeats the URL
	}
	server := Server{Host: u.Hostname()}
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return Server{}, invalid("smtp-url-scheme")
	case server.Host == "" || !printable(server.Host):
		return Server{}, invalid("smtp-url-host")
	case u.Path != "" && u.Path != "/" || u.Fragment != "" || u.Opaque != "":
		return Server{}, invalid("smtp-url-rest")
	}
	if server.Port, err = port(u); err != nil {
		return Server{}, err
	}
	if server.user, server.password, err = credentials(u); err != nil {
		return Server{}, err
	}
	if server.TLS, err = policy(u, server.loopback()); err != nil {
		return Server{}, err
	}
	if server.TLS == TLSNever && server.user != "" {
		return Server{}, invalid("smtp-auth-needs-tls")
	}
	return server, nil
}

func port(u *url.URL) (int, error) {
	switch {
	case u.Port() != "":
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return 0, invalid("smtp-url-host")
		}
		return int(n), nil
	case u.Scheme == "smtps":
		return 465, nil
	}
	return 587, nil
}

func credentials(u *url.URL) (user, password string, err error) {
	if u.User == nil {
		return "", "", nil
	}
	user = u.User.Username()
	password, _ = u.User.Password()
	if user == "" || password == "" || strings.ContainsRune(user+password, 0) {
		return "", "", invalid("smtp-url-credentials")
	}
	return user, password, nil
}

func policy(u *url.URL, loopback bool) (TLSPolicy, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", invalid("smtp-url-malformed")
	}
	for key, values := range query {
		if key != "starttls" || len(values) != 1 {
			return "", invalid("smtp-url-option")
		}
	}
	given := TLSPolicy(query.Get("starttls"))
	switch {
	case u.Scheme == "smtps" && query.Has("starttls"):
		return "", invalid("smtp-url-starttls")
	case u.Scheme == "smtps":
		return TLSImplicit, nil
	case given == TLSAlways, given == TLSOpportunistic, given == TLSNever:
		return given, nil
	case query.Has("starttls"):
		return "", invalid("smtp-url-starttls")
	case loopback:
		return TLSOpportunistic, nil
	}
	return TLSAlways, nil
}

// loopback is true when the server is on this machine.
func (s Server) loopback() bool {
	if strings.EqualFold(s.Host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(s.Host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// String returns the server as a URL without its credentials.
func (s Server) String() string {
	if s.TLS == TLSImplicit {
		return "smtps://" + s.address()
	}
	return "smtp://" + s.address() + "?starttls=" + string(s.TLS)
}

// GoString keeps the credentials out of %#v.
func (s Server) GoString() string { return s.String() }

func invalid(id string) *fault.Error { return fault.New(fault.Invalid, id) }
