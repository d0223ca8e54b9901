package ui

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
)

// node is an element of a drawing, or a text when it has no name.
type node struct {
	name     string
	attrs    []attr
	classes  []string // until the sheet is applied
	style    []attr   // from its style attribute, likewise
	children []*node
	text     string
}

type attr struct{ name, value string }

// take reads an attribute: keeps it, passes it over, or refuses it.
func (n *node) take(a xml.Attr) error {
	name := a.Name.Local
	linked := a.Name.Space == xlinkSpace || a.Name.Space == "xlink"
	switch {
	case strings.HasPrefix(strings.ToLower(name), "on"):
		return refused(name)
	case name == "href" && (linked || a.Name.Space == ""):
		if !localHref.MatchString(a.Value) {
			return refused(name)
		}
	case a.Name.Space != "" || name == "xmlns" || remark(name):
		return nil
	case name == "class":
		n.classes = strings.Fields(a.Value)
		return nil
	case name == "style":
		var err error
		n.style, err = declarations(a.Value)
		return err
	}
	if what := unsafeValue(a.Value); what != "" {
		return refused(what)
	}
	if geometry[name] || styling[name] {
		n.set(attr{name, a.Value})
	}
	return nil
}

// remark tells attributes that describe and draw nothing.
func remark(name string) bool {
	return name == "role" || strings.HasPrefix(name, "aria-") || strings.HasPrefix(name, "data-")
}

func (n *node) index(name string) int {
	return slices.IndexFunc(n.attrs, func(a attr) bool { return a.name == name })
}

func (n *node) attr(name string) string {
	if i := n.index(name); i >= 0 {
		return n.attrs[i].value
	}
	return ""
}

func (n *node) set(a attr) {
	if i := n.index(a.name); i >= 0 {
		n.attrs[i] = a
		return
	}
	n.attrs = append(n.attrs, a)
}

func (n *node) drop(names ...string) {
	n.attrs = slices.DeleteFunc(n.attrs, func(a attr) bool { return slices.Contains(names, a.name) })
}

// say adds a text, where texts are drawn.
func (n *node) say(text string) {
	if n.name != "text" && n.name != "tspan" {
		return
	}
	if last := len(n.children) - 1; last >= 0 && n.children[last].name == "" {
		n.children[last].text += text
		return
	}
	n.children = append(n.children, &node{text: text})
}

// each calls f for n and every node in it.
func (n *node) each(f func(*node)) {
	f(n)
	for _, c := range n.children {
		c.each(f)
	}
}

// usesNest tells whether something that is used uses something itself. A few levels of that would draw a picture without end.
func (n *node) usesNest() bool {
	used := map[string]bool{}
	n.each(func(c *node) {
		if c.name == "use" {
			used[strings.TrimPrefix(c.attr("href"), "#")] = true
		}
	})
	nest := false
	n.each(func(target *node) {
		if id := target.attr("id"); id != "" && used[id] {
			target.each(func(c *node) { nest = nest || c.name == "use" })
		}
	})
	return nest
}

// write appends the node as XML.
func (n *node) write(out []byte) []byte {
	if n.name == "" {
		return escape(out, n.text)
	}
	out = append(append(out, '<'), n.name...)
	for _, a := range n.attrs {
		out = append(append(append(out, ' '), a.name...), `="`...)
		out = append(escape(out, a.value), '"')
	}
	if len(n.children) == 0 {
		return append(out, "/>"...)
	}
	out = append(out, '>')
	for _, c := range n.children {
		out = c.write(out)
	}
	return append(append(append(out, "</"...), n.name...), '>')
}

func escape(out []byte, s string) []byte {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes all
	return append(out, b.Bytes()...)
}
