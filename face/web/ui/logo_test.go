package ui

import (
	"regexp"
	"strings"
	"testing"

	"countersign.dev/base/fault"
)

func drawn(body string) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">` + body + `</svg>`
}

// hostile are drawings that do more than draw, with the word that the fault names.
var hostile = map[string]struct{ file, word string }{
	"script":                   {drawn(`<script>alert(1)</script>`), "<script>"},
	"script in another prefix": {`<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><s:script/></s:svg>`, "<script>"},
	"script of HTML":           {drawn(`<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>`), "<script>"},
	"capitals":                 {drawn(`<SCRIPT/>`), "<SCRIPT>"},
	"event":                    {drawn(`<path d="M0 0" onload="alert(1)"/>`), "onload"},
	"event on the root":        {`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onLoad="x()"/>`, "onLoad"},
	"foreign object":           {drawn(`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>`), "<foreignObject>"},
	"image":                    {drawn(`<image href="data:image/png;base64,AA"/>`), "<image>"},
	"link":                     {drawn(`<a href="#x"><path/></a>`), "<a>"},
	"use of another file":      {drawn(`<use href="https://example.com/x.svg#a"/>`), "href"},
	"use by xlink":             {drawn(`<use xlink:href="//example.com/x.svg#a"/>`), "href"},
	"use of data":              {drawn(`<use xlink:href="data:image/svg+xml,x#a"/>`), "href"},
	"use without declaration":  {`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><use xlink:href="http://x/#a"/></svg>`, "href"},
	"javascript":               {drawn(`<use href="javascript:alert(1)"/>`), "href"},
	"animation":                {drawn(`<path d="M0 0"><animate attributeName="href" to="javascript:x"/></path>`), "<animate>"},
	"set":                      {drawn(`<set attributeName="onload" to="x"/>`), "<set>"},
	"motion":                   {drawn(`<animateTransform/>`), "<animateTransform>"},
	"address in a fill":        {drawn(`<path fill="url(https://example.com/#a)"/>`), "url()"},
	"address after a good one": {drawn(`<path fill="url(#a) url(//x)"/>`), "url()"},
	"escaped address":          {drawn(`<path fill="u\72l(//x)"/>`), `\ @`},
	"address in a style":       {drawn(`<path style="fill:red;background:URL( 'https://x' )"/>`), "style: url()"},
	"address in no known name": {drawn(`<path cursor="url(//x)"/>`), "url()"},
	"image function":           {drawn(`<path style="fill:image-set('x' 1x)"/>`), "style: image-set()"},
	"import":                   {drawn(`<style>@import "https://example.com/x.css";</style>`), `<style> \ @`},
	"font face":                {drawn(`<style>@font-face{src:url(//x)}</style>`), `<style> \ @`},
	"address in a style sheet": {drawn(`<style>.a{fill:url(//x)}</style>`), "<style> url()"},
	"selector":                 {drawn(`<style>path{fill:red}</style>`), "<style>"},
	"attribute selector":       {drawn(`<style>.a[d]{fill:red}</style>`), "<style>"},
	"moving style":             {drawn(`<path style="transform:rotate(5deg)"/>`), "style: transform"},
	"doctype":                  {`<!DOCTYPE svg [<!ENTITY x "y">]>` + drawn(""), "<!DOCTYPE>"},
	"doctype inside":           {drawn(`<!ELEMENT x>`), "<!DOCTYPE>"},
	"style sheet instruction":  {`<?xml-stylesheet href="https://example.com/x.css"?>` + drawn(""), "<?xml-stylesheet?>"},
	"instruction inside":       {drawn(`<?php x ?>`), "<?php?>"},
	"filter":                   {drawn(`<filter id="f"><feImage href="//x"/></filter>`), "<filter>"},
	"drawing in the drawing":   {drawn(`<svg viewBox="0 0 1 1"/>`), "<svg>"},
	"uses of uses":             {drawn(`<g id="a"><use href="#b"/></g><g id="b"><path/></g><use href="#a"/>`), "<use>"},
	"use of itself":            {drawn(`<g id="a"><use href="#a"/></g>`), "<use>"},
	"too deep":                 {drawn(strings.Repeat("<g>", 40) + strings.Repeat("</g>", 40)), "<g>"},
	"a name beyond letters":    {drawn(`<пример/>`), "<…>"},
}

func TestHostileLogosAreRefused(t *testing.T) {
	for name, tc := range hostile {
		t.Run(name, func(t *testing.T) {
			_, err := cleanLogo([]byte(tc.file))
			f := fault.From(err)
			if f == nil || f.ID != "logo-invalid" {
				t.Fatalf("cleanLogo: %v", err)
			}
			if f.Args[0] != tc.word {
				t.Errorf("refused for %q, want %q", f.Args[0], tc.word)
			}
		})
	}
}

func TestWhatIsNoLogoIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ file, id string }{
		"empty":               {"", "logo-malformed"},
		"text":                {"hello", "logo-malformed"},
		"HTML":                {"<html><body/></html>", "logo-malformed"},
		"not closed":          {`<svg viewBox="0 0 1 1"><g>`, "logo-malformed"},
		"two roots":           {drawn("") + drawn(""), "logo-malformed"},
		"another namespace":   {`<svg xmlns="http://www.w3.org/1999/xhtml" viewBox="0 0 1 1"/>`, "logo-malformed"},
		"an unknown entity":   {drawn(`<text>&nbsp;</text>`), "logo-malformed"},
		"another encoding":    {`<?xml version="1.0" encoding="UTF-16"?>` + drawn(""), "logo-malformed"},
		"bytes of no letters": {drawn("<text>\xff\xfe</text>"), "logo-malformed"},
		"no size":             {`<svg xmlns="http://www.w3.org/2000/svg"/>`, "logo-size"},
		"size in millimetres": {`<svg width="10mm" height="10mm"/>`, "logo-size"},
		"no height":           {`<svg viewBox="0 0 10 0"/>`, "logo-size"},
		"not a number":        {`<svg viewBox="0 0 NaN 10"/>`, "logo-size"},
		"a line":              {`<svg viewBox="0 0 1000 10"/>`, "logo-size"},
		"a pole":              {`<svg viewBox="0 0 10 30"/>`, "logo-size"},
	} {
		if _, err := cleanLogo([]byte(tc.file)); !fault.Is(err, tc.id) {
			t.Errorf("%s: %v, want %s", name, err, tc.id)
		}
	}
}

func TestLogosAreCleaned(t *testing.T) {
	const open, shut = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">`, `</svg>`
	for name, tc := range map[string]struct{ file, want string }{
		"a path":                     {drawn(`<path d="M0 0h9" fill="red"/>`), open + `<path d="M0 0h9" fill="red"/>` + shut},
		"size becomes a box":         {`<svg width="10px" height="10"><g/></svg>`, open + `<g/>` + shut},
		"no empty leftovers":         {drawn(""), strings.TrimSuffix(open, ">") + "/>"},
		"remarks":                    {drawn(`<!-- made by hand --><title>X</title><desc>Y</desc><metadata><script/></metadata>`), strings.TrimSuffix(open, ">") + "/>"},
		"an editor's own":            {drawn(`<sodipodi:view xmlns:sodipodi="http://sodipodi"><x/></sodipodi:view><g xmlns:i="urn:i" i:label="x" data-name="y" aria-label="a(b)"/>`), open + `<g/>` + shut},
		"style attribute":            {drawn(`<path fill="red" style="fill: #00f ;stroke:none !important; -inkscape-x:1"/>`), open + `<path fill="#00f" stroke="none"/>` + shut},
		"style sheet":                {drawn(`<style>/* x */ .a, .b { fill: red } .b{opacity:.5}</style><path class="a b" fill="blue"/><g class="c"/>`), open + `<path fill="red" opacity=".5"/><g/>` + shut},
		"style sheet below":          {drawn(`<path class="a" style="fill:green"/><style><![CDATA[.a{fill:red;stroke:blue}]]></style>`), open + `<path fill="green" stroke="blue"/>` + shut},
		"gradient":                   {drawn(`<linearGradient id="a" xlink:href="#b"/><path fill="url(#a)"/>`), open + `<linearGradient id="a" href="#b"/><path fill="url(#a)"/>` + shut},
		"quoted address":             {drawn(`<path fill="url('#a') rgb(1, 2, 3)"/>`), open + `<path fill="url(&#39;#a&#39;) rgb(1, 2, 3)"/>` + shut},
		"text":                       {drawn("<text font-family='Inter, \"A\"'> A &amp; <!-- x -->B<tspan>&lt;</tspan></text>"), open + `<text font-family="Inter, &#34;A&#34;"> A &amp; B<tspan>&lt;</tspan></text>` + shut},
		"prefixed names":             {`<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><s:g/></s:svg>`, open + `<g/>` + shut},
		"use once":                   {drawn(`<g id="a"><path/></g><use href="#a" x="2"/>`), open + `<g id="a"><path/></g><use href="#a" x="2"/>` + shut},
		"the declaration is no harm": {`<?xml version="1.0" encoding="UTF-8"?>` + drawn(`<g/>`), open + `<g/>` + shut},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := cleanLogo([]byte(tc.file))
			if err != nil {
				t.Fatal(err)
			}
			if string(l.svg) != tc.want {
				t.Errorf("got  %s\nwant %s", l.svg, tc.want)
			}
		})
	}
}

// never stands in a cleaned drawing, outside of the text that it draws.
var never = regexp.MustCompile(`(?i)<\s*(script|style|foreignobject|image|a|animate\w*|set|iframe|!|\?)[\s/>]|\son\w+\s*=|href="[^#]|url\([^#&"']|@|\\|style=`)

func FuzzCleanLogo(f *testing.F) {
	for _, tc := range hostile {
		f.Add(tc.file)
	}
	f.Add(square)
	f.Add(drawn(`<style>.a{fill:red}</style><path class="a" d="M0 0" style="stroke:none"/><text>A<tspan>b</tspan></text>`))
	f.Add(drawn(`<linearGradient id="g"><stop offset="1"/></linearGradient><use xlink:href="#g"/><path fill="url(#g)"/>`))
	f.Fuzz(func(t *testing.T, file string) {
		l, err := cleanLogo([]byte(file))
		if err != nil {
			return
		}
		for _, part := range regexp.MustCompile(`<[^>]*>`).FindAllString(string(l.svg), -1) {
			if never.MatchString(part) {
				t.Errorf("%q stands in %s", part, l.svg)
			}
		}
		again, err := cleanLogo(l.svg)
		if len(l.svg) > MaxLogo {
			return // escapes made it longer
		}
		if err != nil || string(again.svg) != string(l.svg) {
			t.Errorf("cleaned again: %v\n%s\n%s", err, l.svg, again.svg)
		}
	})
}
