package ui

import "fmt"

// css is the brand's style sheet: the tones of the accent as custom properties. It stands in no layer, so it wins.
func (b *Brand) css() []byte {
	const rule = ":root{--fill:%s;--fill-over:%s;--on-fill:%s;--link:%s;--tint:%s;--focus:%s}"
	one := func(t tones) string { return fmt.Sprintf(rule, t.fill, t.over, t.on, t.link, t.tint, t.focus) }
	return fmt.Appendf(nil, "%s\n@media screen and (prefers-color-scheme:dark){%s}\n", one(b.palette.light), one(b.palette.dark))
}

// icon is what the browser shows beside the window's title: a tick on a ground of the accent.
func (b *Brand) icon() []byte {
	return fmt.Appendf(nil, `<svg xmlns="%s" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="%s"/>`+
		`<path d="M9 17l5 5 9-11" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
		svgSpace, b.palette.light.fill)
}

// logoSize is the logo's size on a page, in CSS pixels, so that nothing moves when it arrives.
func (b *Brand) logoSize() (width, height int) {
	const tall, wide = 32.0, 200.0
	scale := min(tall/b.logo.height, wide/b.logo.width)
	return max(1, int(b.logo.width*scale+0.5)), max(1, int(b.logo.height*scale+0.5))
}
