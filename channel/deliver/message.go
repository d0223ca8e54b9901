package deliver

import "time"

// Message is one message to one address, rendered, as it is handed to the
// channel that brings it there. It holds clear text: it is made from the sealed
// delivery row just before sending and is never stored or logged.
type Message struct {
	DeliveryID string // the delivery row's id; the channel derives stable ids from it, so that a repeated message can be told
	NoticeID   string // the notice that this message carries
	Reference  string // the notice's reference, already in the texts
	Channel    string // "email", "sms" or "voice"

	To     string // the address: an e-mail address with an A-label domain, or E.164 with an optional ";ext="
	ToName string // the account's name, for the To header; may be empty

	Subject string // e-mail only
	Text    string // the plain text, which every channel sends
	HTML    string // e-mail only; empty: plain text alone
	Image   *Image // that the HTML shows; nil: none
	Locale  string // BCP 47 tag of the texts

	Class     string    // the notice's class, such as "code"
	ExpiresAt time.Time // nothing is sent from this time on; zero: no expiry
}

// Image is a picture that travels with a message. The HTML shows it as "cid:" and its id (RFC 2392).
type Image struct {
	ID  string // of the form local@domain, ASCII
	PNG []byte
}

// Outcome is what became of one attempt to send.
type Outcome int

const (
	// Accepted: the next hop took responsibility for the message.
	Accepted Outcome = iota + 1
	// Retry: nothing is decided; the message may be sent again later.
	Retry
	// Refused: the same message to the same address will not be taken.
	Refused
)

// String returns the outcome's name in lower case.
func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Retry:
		return "retry"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// Result says how an attempt ended. Codes are those of the channel: for e-mail
// the reply code of RFC 5321 and the enhanced code of RFC 3463.
type Result struct {
	Outcome  Outcome
	Code     int    // the reply code; 0 when no reply came
	Enhanced string // the enhanced status code, such as "5.1.1"; empty when the server gave none

	// Words are the server's own, or for a failure on the way to it a short
	// description. They may hold the address: the caller seals them.
	Words string

	// Recipient is true when a permanent failure names the recipient, which
	// is proof that the address does not work.
	Recipient bool

	// RetryAfter is the wait that the next hop asked for; zero: it asked for
	// none.
	RetryAfter time.Duration
}
