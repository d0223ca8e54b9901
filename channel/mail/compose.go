package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"time"

	"countersign.dev/channel/deliver"
)

// lineBytes is how many bytes make a full line of base64: 76 characters (RFC 2045, 6.8).
const lineBytes = 57

// compose returns the message with CRLF line ends, unsigned. from is the value of the From field, domain the one that Message-ID names.
//
// Every body part is quoted-printable or base64, so that no line is too long for a server, no server needs to re-encode it, which would
// break the signatures, and a boundary that begins with "=_" cannot occur in it.
func compose(m deliver.Message, from, domain string, at time.Time) []byte {
	var b bytes.Buffer
	b.Grow(2048 + 2*(len(m.Text)+len(m.HTML)) + imageBytes(m))
	writeField(&b, "Date", at.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000"))
	writeField(&b, "From", from)
	writeField(&b, "To", mailbox(m.ToName, m.To))
	writeField(&b, "Subject", unstructured(m.Subject))
	writeField(&b, "Message-ID", "<"+m.DeliveryID+"@"+domain+">")
	writeField(&b, "MIME-Version", "1.0")
	writeField(&b, "Auto-Submitted", "auto-generated")     // RFC 3834: no automatic answers, please
	writeField(&b, "X-Auto-Response-Suppress", "All")      // what Exchange looks at instead
	if language := languageTag(m.Locale); language != "" { // RFC 3282
		writeField(&b, "Content-Language", language)
	}
	boundary := "=_" + m.DeliveryID
	writeField(&b, "Content-Type", `multipart/alternative; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\n")
	writePart(&b, "text/plain", m.Text)
	if m.HTML != "" {
		b.WriteString("\r\n--" + boundary + "\r\n")
		writeHTML(&b, m)
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes()
}

// writeHTML writes the HTML, together with the image that it shows (RFC 2387). The boundary is not one that the outer one begins: some
// readers compare no further.
func writeHTML(b *bytes.Buffer, m deliver.Message) {
	if m.Image == nil {
		writePart(b, "text/html", m.HTML)
		return
	}
	boundary := "=_with-image-" + m.DeliveryID
	writeField(b, "Content-Type", `multipart/related; type="text/html"; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\n")
	writePart(b, "text/html", m.HTML)
	b.WriteString("\r\n--" + boundary + "\r\n")
	writeField(b, "Content-Type", "image/png")
	writeField(b, "Content-Transfer-Encoding", "base64")
	writeField(b, "Content-ID", "<"+m.Image.ID+">") // RFC 2392
	writeField(b, "Content-Disposition", `inline; filename="image.png"`)
	b.WriteString("\r\n")
	writeBase64(b, m.Image.PNG)
	b.WriteString("\r\n--" + boundary + "--\r\n")
}

// imageBytes is about how many bytes an image takes.
func imageBytes(m deliver.Message) int {
	if m.Image == nil {
		return 0
	}
	return 512 + len(m.Image.PNG)*3/2
}

// writePart writes the fields that describe a text, the empty line and the text.
func writePart(b *bytes.Buffer, kind, text string) {
	text = lines(text)
	writeField(b, "Content-Type", kind+"; charset=utf-8")
	if shorterQuoted(text) {
		writeField(b, "Content-Transfer-Encoding", "quoted-printable")
		b.WriteString("\r\n")
		w := quotedprintable.NewWriter(b)
		_, _ = io.WriteString(w, text) // to memory: it cannot fail
		_ = w.Close()
	} else {
		writeField(b, "Content-Transfer-Encoding", "base64")
		b.WriteString("\r\n")
		writeBase64(b, []byte(text))
	}
}

func writeBase64(b *bytes.Buffer, rest []byte) {
	var line [76]byte
	for len(rest) > 0 {
		n := min(lineBytes, len(rest))
		base64.StdEncoding.Encode(line[:], rest[:n])
		b.Write(line[:base64.StdEncoding.EncodedLen(n)])
		if rest = rest[n:]; len(rest) > 0 {
			b.WriteString("\r\n")
		}
	}
}

// lines returns text as valid UTF-8 with CRLF line ends.
func lines(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return strings.ReplaceAll(text, "\n", "\r\n")
}

// shorterQuoted is true when quoted-printable, at three characters for a byte that is not ASCII, is not longer than base64, at four
// for three bytes.
func shorterQuoted(text string) bool {
	escaped := 0
	for i := range len(text) {
		if text[i] > '~' || text[i] == '=' {
			escaped++
		}
	}
	return escaped*6 <= len(text)
}

// languageTag returns a BCP 47 tag as it is and nothing for anything else.
func languageTag(tag string) string {
	for _, c := range []byte(tag) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return ""
		}
	}
	return tag
}
