package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/channel/deliver"
)

var composeTime = time.Date(2026, 11, 24, 7, 8, 9, 0, time.UTC)

// composed composes and reads back with the standard library's parsers. The texts are under their type, an image under
// its content id.
func composed(t testing.TB, m deliver.Message) (raw []byte, header mail.Header, parts map[string]string) {
	t.Helper()
	raw = compose(m, mailbox("Harbour Market", "notices@harbour.test"), "harbour.test", composeTime)
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	parts = map[string]string{}
	readParts(t, "multipart/alternative", parsed.Header.Get("Content-Type"), parsed.Body, parts)
	return raw, parsed.Header, parts
}

// readParts reads a multipart of the wanted type, and what is in it.
func readParts(t testing.TB, want, contentType string, body io.Reader, parts map[string]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != want {
		t.Fatalf("Content-Type %s, want %s: %v", contentType, want, err)
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		switch {
		case err == nil && kind == "multipart/related" && params["type"] == "text/html":
			readParts(t, kind, part.Header.Get("Content-Type"), part, parts)
		case err == nil && kind == "image/png" && strings.HasPrefix(part.Header.Get("Content-Disposition"), "inline;"):
			parts[part.Header.Get("Content-ID")] = decoded(t, part.Header.Get("Content-Transfer-Encoding"), part)
		case err == nil && params["charset"] == "utf-8":
			parts[kind] = decoded(t, part.Header.Get("Content-Transfer-Encoding"), part)
		default:
			t.Fatalf("a part %v: %v", part.Header, err)
		}
	}
}

func decoded(t testing.TB, encoding string, r io.Reader) string {
	t.Helper()
	switch encoding {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	default:
		t.Fatalf("encoding %q", encoding)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func subject(t testing.TB, h mail.Header) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCompose(t *testing.T) {
	m := message("li@example.com")
	_, header, parts := composed(t, m)
	want := mail.Header{
		"Date":                     {"Tue, 24 Nov 2026 07:08:09 +0000"},
		"From":                     {`"Harbour Market" <notices@harbour.test>`},
		"To":                       {`"Li Mei Trading" <li@example.com>`},
		"Subject":                  {"Confirm your emergency contact"},
		"Message-Id":               {"<" + deliveryID + "@harbour.test>"},
		"Mime-Version":             {"1.0"},
		"Auto-Submitted":           {"auto-generated"},
		"X-Auto-Response-Suppress": {"All"},
		"Content-Language":         {"en"},
		"Content-Type":             {`multipart/alternative; boundary="=_` + deliveryID + `"`},
	}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Error(diff)
	}
	wantParts := map[string]string{"text/plain": lines(m.Text), "text/html": lines(m.HTML)}
	if diff := cmp.Diff(wantParts, parts); diff != "" {
		t.Error(diff)
	}
}

func TestComposeTextsAndSubjectsComeBack(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                    "",
		"Chinese":                  strings.Repeat("请验证您的紧急联系人。\n", 20),
		"German":                   "Bitte bestätigen Sie die Adresse für Notfälle = wichtig.\n",
		"a dot alone":              "a\n.\n..\n.b\n",
		"a boundary":               "--=_" + deliveryID + "--\n=_" + deliveryID,
		"a long line":              strings.Repeat("x", 5000),
		"trailing blanks":          "a \nb\t\n \n",
		"From at the line start":   "From here\nTo there\n",
		"emoji":                    "👩‍🚀 ok\n",
		"the other line ends":      "a\r\nb\rc\n",
		"an equals sign at an end": "a=\n=\n",
	} {
		m := message("li@example.com")
		m.Text, m.HTML = text, text
		raw, _, parts := composed(t, m)
		for _, line := range strings.Split(string(raw), "\r\n") {
			if len(line) > 76 {
				t.Errorf("%s: line of %d characters", name, len(line))
			}
			if strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: a bare line end in %q", name, line)
			}
		}
		if parts["text/plain"] != lines(text) || parts["text/html"] != lines(text) && text != "" {
			t.Errorf("%s: got %q", name, parts)
		}
	}
	for _, text := range []string{
		"Confirm your contact", "请验证您的紧急联系人：海港集市店铺运营通知（第三次提醒，请尽快处理）", "Straße 1", "two  spaces", "=?utf-8?q?no?=",
		strings.Repeat("word ", 40) + "end", strings.Repeat("x", 300), "",
	} {
		m := message("li@example.com")
		m.Subject = text
		if _, header, _ := composed(t, m); subject(t, header) != text {
			t.Errorf("subject %q came back as %q", text, subject(t, header))
		}
	}
}

func TestComposeOfTextAlone(t *testing.T) {
	m := message("li@example.com")
	m.HTML = ""
	_, _, parts := composed(t, m)
	if diff := cmp.Diff(map[string]string{"text/plain": lines(m.Text)}, parts); diff != "" {
		t.Error(diff)
	}
}

// The image belongs to the HTML: a reader that shows the text alone has nothing to do with it.
func TestComposeOfAnImage(t *testing.T) {
	m := message("li@example.com")
	m.HTML = `<p><img src="cid:logo@countersign" alt="Harbour Market"></p>`
	m.Image = &deliver.Image{ID: "logo@countersign", PNG: bytes.Repeat([]byte("\x89PNG\r\n.\x00"), 100)}
	raw, _, parts := composed(t, m)
	want := map[string]string{"text/plain": lines(m.Text), "text/html": m.HTML, "<logo@countersign>": string(m.Image.PNG)}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 76 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	m.HTML = ""
	if _, _, parts := composed(t, m); len(parts) != 1 {
		t.Errorf("without HTML there are the parts %q", parts)
	}
}

// hostile are values that would add a header field or a recipient if they were written as they are.
var hostile = []string{
	"a\r\nBcc: x@evil.test", "a\nBcc: x@evil.test", "a\rBcc: x@evil.test", "\r\n\r\nbody", "a\x00b", "a\u2028Bcc: x@evil.test",
	`", <x@evil.test>, "`, `\`, `\" <x@evil.test>`, "=?utf-8?q?=0D=0ABcc:_x@evil.test?=", "\xff\xfe", "名\r\nBcc: x@evil.test", " \t ",
}

func TestComposeLetsNothingIn(t *testing.T) {
	_, plain, _ := composed(t, message("li@example.com"))
	for _, value := range hostile {
		m := message("li@example.com")
		m.Subject, m.ToName, m.Locale = value, value, value
		_, header, _ := composed(t, m)
		for field, values := range header {
			if len(values) != 1 || plain[field] == nil {
				t.Errorf("%q: field %s: %q", value, field, values)
			}
		}
		to, err := header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "li@example.com" || strings.ContainsAny(to[0].Name, "\r\n\x00") {
			t.Errorf("%q: To is %q, %v", value, header.Get("To"), err)
		}
		if strings.ContainsAny(subject(t, header), "\r\n\x00") {
			t.Errorf("%q: the subject has a line end", value)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("Confirm", "Li", "text\n.\n", "<p>x</p>")
	f.Add("请验证", "李\r\nBcc: x@y", "a\rb\x00", "\xff")
	f.Fuzz(func(t *testing.T, title, name, text, html string) {
		m := message("li@example.com")
		m.Subject, m.ToName, m.Text, m.HTML = title, name, text, html+" "
		raw, header, parts := composed(t, m)
		if parts["text/plain"] != lines(text) || parts["text/html"] != lines(html+" ") {
			t.Fatalf("texts: %q", parts)
		}
		if got := subject(t, header); got != oneLine(title) {
			t.Fatalf("subject: %q", got)
		}
		to, err := header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "li@example.com" || to[0].Name != oneLine(name) {
			t.Fatalf("To: %q, %v", header.Get("To"), err)
		}
		for _, line := range bytes.Split(raw, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
				t.Fatalf("line %q", line)
			}
		}
	})
}
