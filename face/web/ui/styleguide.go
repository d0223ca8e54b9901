package ui

import (
	"net/http"
	"time"

	"countersign.dev/base/i18n"
)

// guide is the style guide as one page. Its texts are the catalogue's ui.guide.
type guide struct{ Page }

func (g guide) say(id string, args ...any) string { return g.T("ui.guide."+id, args...) }

// Styleguide shows every component in every state with made-up content, in the language that ?lang= asks for. It is for those who
// build pages and for the operator who chooses an accent and a logo.
func Styleguide(b *Brand, a *Assets) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := guidePage(b, a, i18n.Match(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language")))
		p.SwitchURL = "?lang=" + string(p.other())
		SetHeaders(w)
		w.Header().Set("Content-Language", string(p.Locale))
		_ = styleguide(guide{p}).Render(r.Context(), w) // whoever asked may be gone
	})
}

// The guide's clock stands still, so that pictures of it can be compared.
var guideNow = time.Date(2026, time.March, 3, 7, 4, 0, 0, time.UTC)

func guidePage(b *Brand, a *Assets, l i18n.Locale) Page {
	zone := time.FixedZone("Asia/Shanghai", 8*60*60)
	p := Page{Locale: l, Zone: zone, Now: guideNow, Brand: b, Assets: a, Back: "#main", SignOut: "#"}
	g := guide{p}
	p.Title, p.BackLabel = g.say("title"), g.say("back")
	p.Nav = []Link{{Text: g.say("title"), URL: "#main", Current: true}, {Text: g.say("activity"), URL: "#activity"}, {Text: g.say("fields"), URL: "#fields"}}
	return p
}

func (g guide) facts() []Fact {
	return []Fact{
		{Label: g.say("fact.address"), Text: "m•••@example.com"},
		{Label: g.say("fact.reference"), Value: Reference(g.Page, "CS-7K3M-9QXT-2V")},
		{Label: g.say("fact.when"), Value: Time(g.Page, guideNow.Add(-5*time.Minute))},
	}
}

func (g guide) events() []Entry {
	at := func(ago time.Duration) time.Time { return guideNow.Add(-ago) }
	return []Entry{
		{At: at(20 * time.Second), State: Verified, Title: g.say("event.verified")},
		{At: at(4 * time.Minute), State: Waiting, Icon: "send", Title: g.say("event.sent")},
		{At: at(3 * time.Hour), State: Danger, Title: g.say("event.refused"), Text: g.say("event.refused-text")},
		{At: at(50 * time.Hour), Icon: "person", Title: g.say("event.visit"), By: g.say("event.by")},
	}
}

func (g guide) methods() []Option {
	return []Option{
		{Value: "sms", Text: g.say("method-sms"), Hint: g.say("method-sms-hint")},
		{Value: "link", Text: g.say("method-link")},
		{Value: "call", Text: g.say("method-call"), Hint: g.say("method-call-hint"), Disabled: true},
	}
}

// errors are those of the fields with errors below.
func (g guide) errors() []FieldError {
	return []FieldError{
		{Field: "email-2", Text: g.say("email-wrong")},
		{Field: "code-2", Text: g.say("code-wrong")},
		{Field: "until-2", Text: g.say("until-wrong")},
		{Field: "method-2", Text: g.say("method-wrong")},
		{Text: g.say("banner.text")},
	}
}

var (
	guideStates = []State{Verified, Waiting, Action, Danger, Quiet}
	guideZones  = []Option{{Value: "Asia/Shanghai", Text: "Asia/Shanghai (UTC+8)"}, {Value: "Europe/Berlin", Text: "Europe/Berlin (UTC+1)"}}
)
