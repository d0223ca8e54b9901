package ui

import (
	"fmt"
	"math"
	"strings"

	"countersign.dev/base/fault"
)

// BrandOptions are the operator's settings for how pages and mails look. All but Name may be empty.
type BrandOptions struct {
	Name   string // of the platform
	Site   string // its web address
	Help   string // where a person gets help: a web address or an e-mail address
	Accent string // #rrggbb; the colour of links and main buttons. Empty: a blue
	Logo   []byte // an SVG of at most MaxLogo bytes
}

// MaxLogo bounds the logo's file, in bytes.
const MaxLogo = 64 << 10

// minContrast is what WCAG 2.2 asks for between text and its ground at level AA (success criterion 1.4.3).
const minContrast = 4.5

const defaultAccent = "#1f5bb5"

// Brand is what a page and a mail show of the operator. It does not change.
type Brand struct {
	Name, Site, Help string

	palette  palette
	logo     *logo // nil: none
	mailLogo []byte
	undrawn  error // why there is a logo and no mailLogo
}

// palette is the accent in the tones that pages need.
type palette struct{ light, dark tones }

// tones are those of one scheme.
type tones struct {
	fill  rgb // ground of a main button
	over  rgb // the same under the pointer
	on    rgb // text on both
	link  rgb // text on the page's grounds
	tint  rgb // a ground that hints at the accent
	focus rgb // ring of what has the focus: 3 to 1 on every ground (WCAG 2.2, 1.4.11)
}

// NewBrand checks the settings. Faults: accent-invalid, accent-contrast (with the ratio and the least), logo-too-large,
// logo-malformed, logo-invalid (with what was refused).
func NewBrand(o BrandOptions) (*Brand, error) {
	b := &Brand{Name: o.Name, Site: o.Site, Help: o.Help}
	accent, err := readAccent(o.Accent)
	if err != nil {
		return nil, err
	}
	b.palette = newPalette(accent)
	if len(o.Logo) == 0 {
		return b, nil
	}
	if b.logo, err = cleanLogo(o.Logo); err != nil {
		return nil, err
	}
	b.mailLogo, b.undrawn = b.logo.png()
	return b, nil
}

// readAccent reads a colour on which white text can be read, and which can be read on white.
func readAccent(s string) (rgb, error) {
	if s == "" {
		s = defaultAccent
	}
	c, ok := parseRGB(s)
	if !ok {
		return rgb{}, fault.New(fault.Invalid, "accent-invalid").At("accent")
	}
	if ratio := contrast(c, white); ratio < minContrast {
		rounded := fmt.Sprintf("%.2f", math.Floor(ratio*100)/100) // down: 4.499 must not read as enough
		return rgb{}, fault.New(fault.Invalid, "accent-contrast", rounded, fmt.Sprint(minContrast)).At("accent")
	}
	return c, nil
}

// newPalette derives the tones. On dark ground the accent is mixed with white until it can be read, and dark text stands on it.
func newPalette(accent rgb) palette {
	var p palette
	p.light.fill = accent
	p.light.over = accent.mix(black, 0.16)
	p.light.on = white
	p.light.tint = accent.mix(lightSheet, 0.92)
	p.light.link = accent.toward(black, minContrast, lightSheet, lightBase, p.light.tint)
	p.light.focus = p.light.link

	p.dark.fill = accent.toward(white, 5.5, darkSheet, darkBase)
	p.dark.over = p.dark.fill.mix(white, 0.2)
	p.dark.on = darkBase
	p.dark.tint = accent.mix(darkSheet, 0.84)
	p.dark.link = accent.toward(white, 5.5, darkSheet, darkBase, p.dark.tint)
	p.dark.focus = p.dark.link
	return p
}

// Accent is the accent for mails, #rrggbb: text of it can be read on white, and white text on it.
func (b *Brand) Accent() string { return b.palette.light.fill.String() }

// MailLogo is the logo as a PNG of 80 pixels in height, to be shown at half of that. It is nil when there is no logo or it cannot
// be drawn; then MailLogoFault says why.
func (b *Brand) MailLogo() []byte { return b.mailLogo }

// MailLogoFault is why mails have no logo although there is one: the fault logo-not-drawn. Else it is nil.
func (b *Brand) MailLogoFault() error { return b.undrawn }

// HasLogo tells whether there is a logo to show in place of the name.
func (b *Brand) HasLogo() bool { return b.logo != nil }

// HelpURL is where Help leads: the web address, or the e-mail address as a link.
func (b *Brand) HelpURL() string {
	if b.Help == "" || strings.Contains(b.Help, "://") {
		return b.Help
	}
	return "mailto:" + b.Help
}
