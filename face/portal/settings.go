package portal

import (
	"net/http"

	"countersign.dev/account"
	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/face/web/ui"
)

// settings shows the language and the zone that the holder chose.
func (p *Portal) settings(w http.ResponseWriter, v *visit) error {
	return v.render(w, http.StatusOK, settingsPage(v, nil))
}

// saveSettings takes both choices; an empty one leaves the matter to the platform.
func (p *Portal) saveSettings(w http.ResponseWriter, v *visit) error {
	f, err := v.form(w)
	if err != nil {
		return err
	}
	locale, timeZone := f.get("locale"), f.get("time_zone")
	if err := f.refuse(p.choose(v, account.Choice{Locale: &locale, TimeZone: &timeZone})); err != nil {
		return err
	}
	if f.wrong() {
		return v.again(w, f, settingsPage(v, f))
	}
	return v.redirect(w, v.path("settings")+"?saved=1")
}

// choose records what the holder chose.
//
// Faults: Invalid "locale-invalid", "time-zone-unknown".
func (p *Portal) choose(v *visit, c account.Choice) error {
	if c.Locale != nil && *c.Locale != "" && !spoken(*c.Locale) {
		return fault.New(fault.Invalid, "locale-invalid").At("locale")
	}
	return p.o.DB.Write(v.ctx(), func(tx *store.Tx) error {
		return p.o.Accounts.Choose(v.ctx(), tx, v.account.ID, c, v.session.Actor())
	})
}

// languages are the choices of a language.
func (v *visit) languages() []ui.Option {
	list := []ui.Option{{Value: "", Text: v.t("portal.settings.as-platform", v.page.Brand.Name)}}
	for _, l := range i18n.Locales() {
		list = append(list, ui.Option{Value: string(l), Text: i18n.Text(l, "portal.settings.language-name")})
	}
	return list
}

// chosenLanguage is the holder's choice among languages.
func (v *visit) chosenLanguage() string {
	if v.account.ChosenLocale == "" {
		return ""
	}
	return string(i18n.Match(v.account.ChosenLocale))
}

// timeZones are the choices of a zone.
func (v *visit) timeZones() []ui.Option {
	list := []ui.Option{{Value: "", Text: v.t("portal.settings.as-platform", v.page.Brand.Name)}}
	for _, name := range offeredZones(v.now, v.account.ChosenTimeZone) {
		list = append(list, ui.Option{Value: name, Text: zoneText(v.page, name)})
	}
	return list
}
