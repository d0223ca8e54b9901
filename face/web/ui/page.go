package ui

import (
	"cmp"
	"strings"
	"time"

	"countersign.dev/base/i18n"
)

// Page is what every page has: its language, its clock, and what stands around its content.
type Page struct {
	Locale i18n.Locale
	Zone   *time.Location // of the times shown, named at the foot of the page; nil is UTC, and no word of it
	Place  string         // the zone as people call it; its name when empty
	Now    time.Time      // relative times and countdowns start here
	Title  string         // of the window; the operator's name is added
	Brand  *Brand
	Assets *Assets

	SwitchURL  string // where the language switch leads; empty: no switch
	SwitchPost bool   // the switch is a button that posts locale=… to SwitchURL, else a link
	Back       string // a link above the content, such as back to the platform; empty: none
	BackLabel  string
	Nav        []Link // the pages beside this one, in the header
	SignOut    string // where the sign-out button posts to; empty: no button
	Live       bool   // the regions made by the component Live are kept new
	LiveFrom   string // the page's own address where the address bar shows another one, as after a form that was refused
	Failed     bool   // the page shows errors of a form: the window's title says so first
}

// Link is a link with its text. Current marks the page that is open.
type Link struct {
	Text, URL string
	Current   bool
}

// T is a text of the catalogue in the page's language.
func (p Page) T(id string, args ...any) string { return i18n.Text(p.Locale, id, args...) }

// other is the language that the switch offers.
func (p Page) other() i18n.Locale {
	if p.Locale == i18n.Zh {
		return i18n.En
	}
	return i18n.Zh
}

func (p Page) windowTitle() string {
	var parts []string
	if p.Title != "" {
		parts = append(parts, p.Title)
	}
	if p.Brand != nil && p.Brand.Name != "" {
		parts = append(parts, p.Brand.Name)
	}
	title := strings.Join(parts, " · ")
	if p.Failed {
		return p.T("ui.title.failed", title)
	}
	return title
}

// languageName is a language's name in itself.
func languageName(l i18n.Locale) string {
	if l == i18n.Zh {
		return "中文"
	}
	return "English"
}

// zoneName is for a page with a zone.
func (p Page) zoneName() string { return cmp.Or(p.Place, p.Zone.String()) }
