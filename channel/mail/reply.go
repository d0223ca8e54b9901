package mail

import (
	"context"
	"errors"
	"net/textproto"
	"os"
	"strings"
	"unicode"

	"countersign.dev/channel/deliver"
)

// wordsKept is how much of a server's words is kept, in bytes.
const wordsKept = 512

// stage is a command of a transaction.
type stage int

const (
	atReset stage = iota
	atMail
	atRcpt
	atData
	atContent
)

// answer is a server's reply (RFC 5321, 4.2) to the command that decided a transaction.
type answer struct {
	stage    stage
	code     int
	enhanced string // RFC 3463; empty when there was none
	words    string
}

// newAnswer takes a reply apart. Its lines, which repeat the enhanced code (RFC 2034), become one.
func newAnswer(at stage, code int, text string) answer {
	a := answer{stage: at, code: code}
	lines := strings.Split(text, "\n")
	a.enhanced = enhancedCode(lines[0], code)
	for i := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(lines[i], a.enhanced))
	}
	a.words = tidy(strings.Join(lines, " "))
	return a
}

// enhancedCode returns the enhanced code that the line begins with: one of the reply's own class, each part a number of at most three
// digits.
func enhancedCode(line string, code int) string {
	word, _, _ := strings.Cut(line, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || int(parts[0][0]-'0') != code/100 {
		return ""
	}
	for _, p := range parts[1:] {
		if p == "" || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return ""
		}
	}
	return word
}

// tidy makes words of a foreign server fit to keep.
func tidy(words string) string {
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "\uFFFD"))
	if len(words) > wordsKept {
		words = strings.ToValidUTF8(words[:wordsKept], "")
	}
	return words
}

// result says what the answer means for the delivery.
func (a answer) result() deliver.Result {
	r := deliver.Result{Outcome: deliver.Retry, Code: a.code, Enhanced: a.enhanced, Words: a.words}
	switch {
	case a.stage == atContent && a.code/100 == 2:
		r.Outcome = deliver.Accepted
	case a.code/100 == 5:
		r.Outcome = deliver.Refused
		r.Recipient = a.stage == atRcpt && namesRecipient(a.enhanced)
	}
	return r
}

// namesRecipient is true for the enhanced codes that say that the recipient's address does not work: RFC 3463, 3.2, and 5.1.10 of
// RFC 7505. The rest of 5.1.x is no proof: 5.1.7 and 5.1.8 name the sender, 5.1.0 may, and 5.1.5 and 5.1.9 are no failures.
func namesRecipient(enhanced string) bool {
	switch enhanced {
	case "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10":
		return true
	}
	return false
}

// closing is true when the server said that it ends the connection (RFC 5321, 3.8).
func (a answer) closing() bool { return a.code == 421 }

// failed is the result when there was no transaction or its end is unknown: the message may be sent again. What a server answers to our
// greeting, STARTTLS or AUTH concerns us and not the message, so that it refuses nothing either.
func failed(err error) deliver.Result {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		a := newAnswer(atReset, reply.Code, reply.Msg)
		return deliver.Result{Outcome: deliver.Retry, Code: a.code, Enhanced: a.enhanced, Words: a.words}
	}
	return deliver.Result{Outcome: deliver.Retry, Words: tidy(err.Error())}
}

// timedOut is true when waiting was the failure; trying again at once would only wait longer.
func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
