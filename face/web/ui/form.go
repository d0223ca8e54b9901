package ui

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// described ties a control to its hint and its error, for those who hear the page.
func described(name, hint, problem string) templ.OrderedAttributes {
	var ids []string
	if hint != "" {
		ids = append(ids, name+"-hint")
	}
	if problem != "" {
		ids = append(ids, name+"-error")
	}
	var attrs templ.OrderedAttributes
	if len(ids) > 0 {
		attrs = append(attrs, templ.KV[string, any]("aria-describedby", strings.Join(ids, " ")))
	}
	if problem != "" {
		attrs = append(attrs, templ.KV[string, any]("aria-invalid", "true"))
	}
	return attrs
}

// optionID is the id of an answer: that of the first is the name, which is what an error links to.
func optionID(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(i+1)
}

func width(w Width) string {
	if w == Full {
		return ""
	}
	return "input-" + string(w)
}

func number(n, other int) string {
	if n == 0 {
		n = other
	}
	return strconv.Itoa(n)
}
