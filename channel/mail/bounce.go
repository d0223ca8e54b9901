package mail

import (
	"crypto/subtle"
	"encoding/base32"
	"strconv"
	"strings"
	"time"
)

// bounceLife is how long a failure report to an envelope sender of ours is honoured.
const bounceLife = 10 * 24 * time.Hour

const (
	bouncePrefix = "b+"
	bounceMAC    = 10 // bytes of the code kept: 80 bits, which nobody guesses by mail
)

// lower is an alphabet that survives a server that changes the case of a local part.
var lower = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// returnPath makes and reads the envelope senders of one domain: b+<delivery id>.<day of expiry>.<code>, at most 64 characters before
// the @ (RFC 5321, 4.5.3.1.1) for ids of up to 38.
type returnPath struct {
	domain string
	mac    func(domain string, parts ...string) []byte
}

// address returns the envelope sender of a delivery sent now.
func (r returnPath) address(deliveryID string, now time.Time) string {
	day := strconv.FormatInt(dayOf(now.Add(bounceLife))+1, 10)
	return bouncePrefix + deliveryID + "." + day + "." + r.code(deliveryID, day) + "@" + r.domain
}

// parse returns the delivery that an envelope sender of ours belongs to. It is false for any other address and for one that has
// expired, which it has at the end of its tenth full day.
func (r returnPath) parse(address string, now time.Time) (deliveryID string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || !strings.EqualFold(address[at+1:], r.domain) {
		return "", false
	}
	local := asciiLower(address[:at])
	fields := strings.Split(strings.TrimPrefix(local, bouncePrefix), ".")
	if !strings.HasPrefix(local, bouncePrefix) || len(fields) != 3 || !validID(fields[0]) {
		return "", false
	}
	deliveryID, day, code := fields[0], fields[1], fields[2]
	if subtle.ConstantTimeCompare([]byte(code), []byte(r.code(deliveryID, day))) != 1 {
		return "", false
	}
	expiry, err := strconv.ParseInt(day, 10, 64)
	return deliveryID, err == nil && dayOf(now) < expiry
}

func (r returnPath) code(deliveryID, day string) string {
	return lower.EncodeToString(r.mac("bounce", deliveryID, day)[:bounceMAC])
}

func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// validID is true for what may stand in a header field and a local part as it is: 1 to 38 lower-case letters, digits and hyphens.
func validID(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return id != "" && len(id) <= 38
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
