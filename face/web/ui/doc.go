// Package ui is how the pages look and speak: tokens, components, icons, assets and the operator's brand.
//
// A page is a [Page] and a component inside [Layout]. The components are templ functions; each takes one struct that says what it
// shows, and the page first where it speaks by itself ([Page.T], [Page.Moment], [Page.Ago]). They make whole HTML that works
// without the script. The script (assets/app.js) adds: countdowns that run, live regions, a copy button, a guard against sending
// a form twice, and codes taken from a text message (WebOTP).
//
// There is one style sheet with the tokens on top, a second of a few lines made from the operator's accent, and one script. They are served by
// [Assets] under names with a hash. [SetHeaders] sets a content policy under which nothing else runs or loads: no inline style, no
// inline handler, nothing of a third party. A component therefore never writes a style attribute.
//
// [NewBrand] refuses what would make a page unreadable or unsafe: an accent with too little contrast, a logo that is more than a
// picture.
//
// /styleguide ([Styleguide]) shows every component in every state. *_templ.go are generated:
//
//	go tool -modfile=tools/go.mod templ generate -path face/web/ui
//
// It leans on base/fault and base/i18n.
package ui
