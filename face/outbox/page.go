package outbox

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"countersign.dev/base/i18n"
	"countersign.dev/channel/outbox"
	"countersign.dev/face/web"
)

// Mails bring styles of their own, in a frame that runs nothing; the frame inherits this policy. There is no script on the page.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("outbox").Parse(pageHTML))

// view is what the page shows. Say and Time speak its language.
type view struct {
	Locale   i18n.Locale
	Messages []outbox.Message
}

func (v view) Say(id string, args ...any) string { return i18n.Text(v.Locale, id, args...) }

// Count says how many messages there are.
func (v view) Count() string { return v.Say("outbox.count", len(v.Messages)) }

// Channel names the channel of a message.
func (v view) Channel(m outbox.Message) string { return v.Say("outbox.channel." + m.Channel) }

// Time is a time as the page shows it, in UTC like the service's log.
func (v view) Time(at time.Time) string {
	if v.Locale == i18n.Zh {
		return at.Format("2006年1月2日 15:04:05 UTC")
	}
	return at.Format("2 January 2006, 15:04:05 UTC")
}

// Machine is a time for the datetime attribute.
func (view) Machine(at time.Time) string { return at.Format(time.RFC3339) }

func (p *Page) show(w http.ResponseWriter, r *http.Request) {
	v := view{Locale: web.Locale(r), Messages: p.o.Box.Messages()}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		web.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(v.Locale))
	h.Set("Content-Security-Policy", policy)
	_, _ = w.Write(b.Bytes()) // whoever asked may be gone
}
