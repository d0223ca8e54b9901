package config

import (
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countersign.dev/base/fault"
)

// Validate checks each setting by its tags, then those that depend on one another. It returns the first fault, which names the
// setting and not its value.
//
// Faults: setting-text, setting-list, setting-number, setting-duration, setting-choice, setting-host-port, setting-http-url, setting-smtp-url,
// setting-database-url, setting-domain, setting-email, setting-help, setting-colour, setting-needs, setting-empty, setting-remind.
func (s Settings) Validate() error {
	for _, one := range table(&s) {
		if err := one.check(); err != nil {
			return err
		}
	}
	return s.checkTogether()
}

// check returns an error interface, so that nil stays nil.
func (s setting) check() error {
	lowest, highest := s.tag.Get("min"), s.tag.Get("max")
	switch v := s.value.Interface().(type) {
	case int:
		low, _ := strconv.Atoi(lowest)
		high, _ := strconv.Atoi(highest)
		if v < low || v > high {
			return s.fault("setting-number", lowest, highest)
		}
	case time.Duration:
		low, _ := parseDuration(lowest)
		high, _ := parseDuration(highest)
		if v < low || v > high {
			return s.fault("setting-duration", lowest, highest)
		}
	case string:
		return s.checkText(v)
	case []string:
		for _, entry := range v {
			if err := s.checkText(entry); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s setting) checkText(v string) error {
	if !utf8.ValidString(v) || s.tag.Get("secret") != "all" && strings.ContainsFunc(v, unicode.IsControl) {
		return s.fault("setting-text")
	}
	if choice := strings.Fields(s.tag.Get("choice")); len(choice) > 0 && !slices.Contains(choice, v) {
		return s.fault("setting-choice", strings.Join(choice, ", "))
	}
	rule, ok := rules[s.tag.Get("is")]
	optional := s.value.Kind() == reflect.String // an entry of a list is not
	if ok && (v != "" || !optional) && !rule.holds(v) {
		return s.fault(rule.fault)
	}
	return nil
}

// rules are the forms that the tag "is" names, each with the fault that explains it.
var rules = map[string]struct {
	fault string
	holds func(string) bool
}{
	"host-port":    {"setting-host-port", isHostPort},
	"http-url":     {"setting-http-url", isHTTPURL},
	"smtp-url":     {"setting-smtp-url", isSMTPURL},
	"database-url": {"setting-database-url", isDatabaseURL},
	"domain":       {"setting-domain", isDomain},
	"email":        {"setting-email", isEmail},
	"colour":       {"setting-colour", colourForm.MatchString},
	"help":         {"setting-help", func(v string) bool { return isEmail(v) || isHTTPURL(v) }},
}

var colourForm = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func isHostPort(v string) bool {
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isHTTPURL(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// isSMTPURL looks at scheme and host; the mail channel reads the rest of the grammar.
func isSMTPURL(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "smtp" || u.Scheme == "smtps") && u.Hostname() != ""
}

func isDatabaseURL(v string) bool {
	scheme, rest, _ := strings.Cut(v, ":")
	return rest != "" && slices.Contains([]string{"sqlite", "postgres", "postgresql"}, scheme)
}

// A domain in A-labels, or a selector, which has the same grammar (RFC 6376 §3.1). "localhost" is one.
var domainForm = regexp.MustCompile(`^(?i:[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.(?i:[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?))*$`)

func isDomain(v string) bool { return len(v) <= 253 && domainForm.MatchString(v) }

// isEmail is rough; the mail channel parses the address.
func isEmail(v string) bool {
	a, err := mail.ParseAddress(v)
	return err == nil && a.Address == v
}

func (s Settings) checkTogether() error {
	for _, pair := range []struct{ set, key, needs, needsKey string }{
		{s.SMTP.URL, "smtp.url", s.Mail.From, "mail.from"},
		{s.SMTP.CAFile, "smtp.ca_file", s.SMTP.URL, "smtp.url"},
		{s.DKIM.Ed25519Key, "dkim.ed25519_key", s.DKIM.Ed25519Selector, "dkim.ed25519_selector"},
		{s.DKIM.Ed25519Selector, "dkim.ed25519_selector", s.DKIM.Ed25519Key, "dkim.ed25519_key"},
		{s.DKIM.RSAKey, "dkim.rsa_key", s.DKIM.RSASelector, "dkim.rsa_selector"},
		{s.DKIM.RSASelector, "dkim.rsa_selector", s.DKIM.RSAKey, "dkim.rsa_key"},
		{s.DKIM.Ed25519Key + s.DKIM.RSAKey, "dkim", s.DKIM.Domain, "dkim.domain"},
		{s.DKIM.Domain, "dkim.domain", s.DKIM.Ed25519Key + s.DKIM.RSAKey, "dkim.ed25519_key"},
	} {
		if pair.set != "" && pair.needs == "" {
			return fault.New(fault.Invalid, "setting-needs", pair.key, pair.needsKey).At(pair.needsKey)
		}
	}
	for _, must := range []struct{ key, value string }{
		{"data", s.Data}, {"listen", s.Listen}, {"operator.name", s.Operator.Name},
	} {
		if strings.TrimSpace(must.value) == "" {
			return fault.New(fault.Invalid, "setting-empty", must.key).At(must.key)
		}
	}
	if s.Contact.RemindBefore >= s.Contact.MaxAge {
		return fault.New(fault.Invalid, "setting-remind").At("contact.remind_before")
	}
	return nil
}

// Database returns the URL of the database: the one that is set, or SQLite in the data directory.
func (s Settings) Database() string {
	if s.DatabaseURL != "" {
		return s.DatabaseURL
	}
	return "sqlite:" + filepath.Join(s.Data, "countersign.db")
}

// Outbox reports whether messages stay in memory for /outbox: no mail server is set, and people reach the service on this machine only.
func (s Settings) Outbox() bool {
	host, _, _ := net.SplitHostPort(s.Listen)
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil {
			return false
		}
		host = u.Hostname()
	}
	ip := net.ParseIP(host)
	return s.SMTP.URL == "" && (host == "localhost" || ip != nil && ip.IsLoopback())
}
