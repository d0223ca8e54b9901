package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"countersign.dev/account"
	"countersign.dev/base/auth"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
)

// The query that chooses the language of a page without a session.
const langQuery = "lang"

// guest reads a request that has no session yet: in the language that its address asks for, else in the browser's.
func (p *Portal) guest(r *http.Request) *guest {
	g := &guest{r: r, now: p.o.DB.Now()}
	g.page = ui.Page{Now: g.now, Brand: p.o.Brand, Assets: p.o.Assets}
	g.speak(web.Locale(r))
	if wanted := r.URL.Query().Get(langQuery); wanted != "" {
		g.speak(i18n.Match(wanted))
	}
	return g
}

// speak has a page without a session speak a language, and its switch lead to the other one.
func (g *guest) speak(l i18n.Locale) {
	other := i18n.Zh
	if l == i18n.Zh {
		other = i18n.En
	}
	g.page.Locale = l
	if path := g.r.URL.EscapedPath(); ownPath(path) {
		g.page.SwitchURL = path + "?" + langQuery + "=" + string(other)
	}
}

// asked tells whether the address chose the language.
func (g *guest) asked() bool { return g.r.URL.Query().Get(langQuery) != "" }

// here is the address that a form of a page without a session posts to: its own, in the language that it was asked for.
func (g *guest) here() string {
	here := g.r.URL.EscapedPath()
	if g.asked() {
		here += "?" + langQuery + "=" + string(g.page.Locale)
	}
	return here
}

// frame is the page around everything in a session: in the holder's language and zone, with the ways on.
func (p *Portal) frame(v *visit) ui.Page {
	page := v.page
	page.Locale = locale(v.r, v.session, v.account)
	page.Zone = zone(v.account.TimeZone)
	page.Place = zoneText(page, v.account.TimeZone)
	page.SwitchURL, page.SwitchPost = v.path("language")+"?back="+url.QueryEscape(p.readable(v.r)), true
	page.Back, page.BackLabel = v.session.ReturnURL, page.T("portal.back", p.o.Brand.Name)
	page.SignOut = v.path("sign-out")
	if v.may(auth.View) {
		page.Nav = v.nav(page)
	}
	return page
}

// locale is the holder's choice, then what the platform said of the session, then of the account, then the browser's wish.
func locale(r *http.Request, se auth.Session, acc account.Account) i18n.Locale {
	if l := cmp.Or(acc.ChosenLocale, se.Locale, acc.GivenLocale); l != "" {
		return i18n.Match(l)
	}
	return web.Locale(r)
}

// speakTo has a page before or after a session speak the language of its holder, unless its address asks for another.
func (p *Portal) speakTo(g *guest, se auth.Session) {
	if se.ID == "" || g.asked() {
		return
	}
	var acc account.Account // stays empty for one that was erased
	_ = p.o.DB.Read(g.ctx(), func(tx *store.Tx) (err error) {
		acc, err = p.o.Accounts.Get(g.ctx(), tx, se.Account)
		return err
	})
	g.speak(locale(g.r, se, acc))
}

// nav are the pages that stand beside each other.
func (v *visit) nav(page ui.Page) []ui.Link {
	links := []ui.Link{
		{Text: page.T("portal.home.title"), URL: v.path()},
		{Text: page.T("portal.activity.title"), URL: v.path("activity")},
		{Text: page.T("portal.settings.title"), URL: v.path("settings")},
	}
	for i := range links {
		links[i].Current = v.r.URL.Path == links[i].URL
	}
	return links
}

// readable is the page that a request stands on: its own path, or for one that only takes a POST the nearest above that can be read.
func (p *Portal) readable(r *http.Request) string {
	_, pattern, _ := strings.Cut(r.Pattern, " ")
	path := r.URL.EscapedPath()
	for pattern != "" && !p.pages[pattern] {
		pattern, path = pattern[:strings.LastIndexByte(pattern, '/')], path[:strings.LastIndexByte(path, '/')]
	}
	return path
}

// switchLanguage takes the choice of the switch at the top of each page, and goes back there.
//
// Faults: Invalid "locale-invalid" for a language that is not spoken.
func (p *Portal) switchLanguage(w http.ResponseWriter, v *visit) error {
	f, err := v.form(w)
	if err != nil {
		return err
	}
	chosen := f.get("locale")
	if err := p.choose(v, account.Choice{Locale: &chosen}); err != nil {
		return err
	}
	back := v.r.URL.Query().Get("back")
	if !ownPath(back) {
		back = v.path()
	}
	return v.redirect(w, back)
}

// spoken tells whether this is one of the languages of the pages.
func spoken(l string) bool {
	for _, known := range i18n.Locales() {
		if l == string(known) {
			return true
		}
	}
	return false
}
