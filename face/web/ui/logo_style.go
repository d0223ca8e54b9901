package ui

import (
	"regexp"
	"strings"
)

// sheet is what the style elements of a drawing say: what a class means, in their order. Drawing programs write no other selectors.
type sheet []rule

type rule struct {
	class        string
	declarations []attr
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	classNamed = regexp.MustCompile(`^\.[A-Za-z_][A-Za-z0-9_-]*$`)
)

// read adds the rules of a style element.
func (s *sheet) read(css string) error {
	css = cssComment.ReplaceAllString(css, " ")
	if what := unsafeValue(css); what != "" {
		return refused("<style> " + what)
	}
	for strings.TrimSpace(css) != "" {
		head, rest, opened := strings.Cut(css, "{")
		body, after, closed := strings.Cut(rest, "}")
		if !opened || !closed || strings.Contains(body, "{") {
			return refused("<style>")
		}
		all, err := declarations(body)
		if err != nil {
			return err
		}
		for selector := range strings.SplitSeq(head, ",") {
			selector = strings.TrimSpace(selector)
			if !classNamed.MatchString(selector) {
				return refused("<style>")
			}
			*s = append(*s, rule{selector[1:], all})
		}
		css = after
	}
	return nil
}

// apply turns the styles of a node into attributes, weighed as CSS does: an attribute counts least, its style attribute most.
func (s *sheet) apply(n *node) {
	for _, r := range *s {
		for _, class := range n.classes {
			if class == r.class {
				n.setAll(r.declarations)
			}
		}
	}
	n.setAll(n.style)
	n.classes, n.style = nil, nil
}

func (n *node) setAll(all []attr) {
	for _, a := range all {
		n.set(a)
	}
}

// declarations reads "fill: red; stroke: none" and keeps what may style a drawing.
func declarations(css string) ([]attr, error) {
	if what := unsafeValue(css); what != "" {
		return nil, refused("style: " + what)
	}
	var all []attr
	for part := range strings.SplitSeq(cssComment.ReplaceAllString(css, " "), ";") {
		name, value, _ := strings.Cut(part, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		if name == "transform" { // reads otherwise than the attribute: with units, and around another point
			return nil, refused("style: transform")
		}
		if styling[name] && value != "" {
			all = append(all, attr{name, value})
		}
	}
	return all, nil
}
