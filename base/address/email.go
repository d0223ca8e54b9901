package address

import (
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Lengths in octets, RFC 5321 §4.5.3.1. A path of 256 holds the two angle brackets too.
const (
	maxLocal  = 64
	maxDomain = 255
	maxEmail  = 254
	maxLabel  = 63 // RFC 1035 §2.3.4
)

// Email is one mailbox. It is comparable; see [Email.Key] for "the same mailbox in another spelling".
type Email struct {
	local  string // as given, in NFC, never quoted
	domain string // A-labels, lower case
}

// ParseEmail reads one bare address, such as m.li@example.com or 李@例子.测试.
//
// The local part is a dot-string of RFC 5321 §4.1.2, or its UTF-8 form of RFC 6531 §3.3, and is kept as given in NFC. A quoted local
// part is taken when the quotes are not needed, and refused otherwise: hardly any mailbox has one, and many systems mangle them. The
// domain has at least two labels and is converted to A-labels by UTS #46 with the hyphen, joiner and bidi rules (RFC 5891, 5893);
// address literals are refused. No provider's own rules (dots, plus signs) are known here.
//
// Faults: Invalid, field "value", ids email-….
func ParseEmail(s string) (Email, error) {
	text, err := emailText(s)
	if err != nil {
		return Email{}, err
	}
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return Email{}, refuse("email-no-at")
	}
	local, err := parseLocal(text[:at])
	if err != nil {
		return Email{}, err
	}
	domain, err := parseDomain(text[at+1:])
	if err != nil {
		return Email{}, err
	}
	if len(local)+1+len(domain) > maxEmail {
		return Email{}, refuse("email-too-long")
	}
	return Email{local, domain}, nil
}

// emailText returns s in its plain form, or the rule that it breaks as a whole.
func emailText(s string) (string, error) {
	if len(s) > maxInput {
		return "", refuse("email-too-long")
	}
	if !utf8.ValidString(s) {
		return "", refuse("email-not-utf8")
	}
	s = norm.NFC.String(plain(s))
	switch {
	case s == "":
		return "", refuse("email-missing")
	case strings.ContainsFunc(s, isControl):
		return "", refuse("email-control-character")
	case strings.ContainsFunc(s, isInvisible):
		return "", refuse("email-invisible-character")
	case strings.ContainsAny(s, "<>"):
		return "", refuse("email-display-name")
	}
	return s, nil
}

func parseLocal(s string) (string, error) {
	local, quoted := unquote(s)
	switch {
	case quoted && !isDotString(local):
		return "", refuse("email-quoted")
	case local == "":
		return "", refuse("email-no-local-part")
	case strings.ContainsRune(local, '@'):
		return "", refuse("email-several-at")
	case strings.ContainsFunc(local, isSpace):
		return "", refuse("email-space")
	case !isDotted(local):
		return "", refuse("email-dots")
	case strings.ContainsFunc(local, func(r rune) bool { return !isLocalRune(r) }):
		return "", refuse("email-character")
	case len(local) > maxLocal:
		return "", refuse("email-local-too-long")
	}
	return local, nil
}

func unquote(local string) (content string, quoted bool) {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local, false
	}
	return local[1 : len(local)-1], true
}

func isDotString(s string) bool {
	return isDotted(s) && !strings.ContainsFunc(s, func(r rune) bool { return !isLocalRune(r) })
}

// isDotted reports whether s is not empty and has no dot at an end or beside another dot.
func isDotted(s string) bool {
	return s != "" && s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// isLocalRune reports whether r may stand in an unquoted local part: atext and the dot (RFC 5322 §3.2.3), and any visible
// character beyond ASCII (RFC 6532 §3.2).
func isLocalRune(r rune) bool {
	switch {
	case r >= utf8.RuneSelf:
		return unicode.IsPrint(r)
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r)
}

func parseDomain(s string) (string, error) {
	switch {
	case s == "":
		return "", refuse("email-no-domain")
	case s[0] == '[':
		return "", refuse("email-ip-address")
	case strings.ContainsFunc(s, isSpace):
		return "", refuse("email-space")
	}
	domain, err := idna.Lookup.ToASCII(s)
	if err != nil { // idna's error quotes the label, so it is no cause
		return "", refuse("email-domain-character")
	}
	if err := checkLabels(domain); err != nil {
		return "", err
	}
	if strings.ContainsFunc(unicodeDomain(domain), isInvisible) { // hidden in an A-label
		return "", refuse("email-invisible-character")
	}
	return domain, nil
}

func checkLabels(domain string) error {
	if len(domain) > maxDomain {
		return refuse("email-domain-too-long")
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel {
			return refuse("email-domain-label")
		}
	}
	if len(labels) < 2 {
		return refuse("email-single-label")
	}
	// No top-level domain is a number (RFC 3696 §2), so this is an IPv4 address.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return refuse("email-ip-address")
	}
	return nil
}

func unicodeDomain(domain string) string {
	u, err := idna.Display.ToUnicode(domain)
	if err != nil {
		return domain
	}
	return u
}

// IsZero reports whether there is no address.
func (e Email) IsZero() bool { return e == Email{} }

// String returns the address as SMTP needs it: the local part as given, the domain in A-labels.
func (e Email) String() string { return e.with(e.local, e.domain) }

// Display returns the address as its owner writes it, the domain in Unicode.
func (e Email) Display() string { return e.with(e.local, unicodeDomain(e.domain)) }

// Masked returns the address for people who know it already: m•••@example.com.
func (e Email) Masked() string {
	_, n := utf8.DecodeRuneInString(e.local)
	return e.with(e.local[:n]+"•••", unicodeDomain(e.domain))
}

// Key returns one text for all spellings of a mailbox that differ in upper and lower case or in the composition of characters
// (Unicode §3.13, canonical caseless matching). Strictly only the mailbox's own host may say so (RFC 5321 §2.4), so the key is for
// the blind index, and mail goes to String. The index holds hashes of this text: what changes it here makes them anew.
func (e Email) Key() string {
	return e.with(norm.NFC.String(cases.Fold().String(norm.NFD.String(e.local))), e.domain)
}

// Domain returns the domain in A-labels, lower case.
func (e Email) Domain() string { return e.domain }

// LogValue keeps the address out of logs.
func (e Email) LogValue() slog.Value { return slog.StringValue("(an e-mail address)") }

func (e Email) with(local, domain string) string {
	if e.IsZero() {
		return ""
	}
	return local + "@" + domain
}
