package ui

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

const (
	svgSpace   = "http://www.w3.org/2000/svg"
	xlinkSpace = "http://www.w3.org/1999/xlink"
	htmlSpace  = "http://www.w3.org/1999/xhtml"
)

// maxDepth bounds how deep elements stand within each other.
const maxDepth = 32

// errNotSVG is what a well-formed document of another kind gets.
var errNotSVG = errors.New("the root is not svg")

// logoReader makes nodes of tokens.
type logoReader struct {
	dec   *xml.Decoder
	sheet sheet
}

// document reads to the end of the file, in which there is one element, svg.
func (r *logoReader) document() (*node, error) {
	var root *node
	for {
		token, err := r.dec.Token()
		if errors.Is(err, io.EOF) && root != nil {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
			err = aside(token)
		case root != nil || start.Name.Local != "svg" || foreign(start.Name):
			err = errNotSVG
		default:
			root, err = r.element(start, 1)
		}
		if err != nil {
			return nil, err
		}
	}
}

// aside refuses a token beside the elements that is more than a remark.
func aside(token xml.Token) error {
	switch token := token.(type) {
	case xml.Directive:
		return refused("<!DOCTYPE>")
	case xml.ProcInst:
		if token.Target != "xml" {
			return refused("<?" + token.Target + "?>")
		}
	}
	return nil
}

func foreign(n xml.Name) bool { return n.Space != "" && n.Space != svgSpace }

// element reads one element with all that is in it.
func (r *logoReader) element(start xml.StartElement, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, refused("<" + start.Name.Local + ">")
	}
	n := &node{name: start.Name.Local}
	for _, a := range start.Attr {
		if err := n.take(a); err != nil {
			return nil, err
		}
	}
	for {
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return n, nil
		case xml.CharData:
			n.say(string(token))
		case xml.StartElement:
			err = r.child(n, token, depth)
		default:
			err = aside(token)
		}
		if err != nil {
			return nil, err
		}
	}
}

// child reads an element within n: keeps it, passes it over, or refuses it.
func (r *logoReader) child(n *node, start xml.StartElement, depth int) error {
	name := start.Name.Local
	switch {
	case start.Name.Space == htmlSpace:
		return refused("<" + name + ">")
	case foreign(start.Name) || dropped[name]:
		return r.dec.Skip()
	case name == "style":
		return r.style()
	case !drawing[name]:
		return refused("<" + name + ">")
	}
	c, err := r.element(start, depth+1)
	n.children = append(n.children, c)
	return err
}

// style reads a style element, which has text only.
func (r *logoReader) style() error {
	var css strings.Builder
	for {
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return r.sheet.read(css.String())
		case xml.CharData:
			css.Write(token)
		case xml.StartElement:
			return refused("<style>")
		}
	}
}
