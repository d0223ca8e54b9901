package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/face/web"
	"countersign.dev/face/web/ui"
)

// maxForm bounds a form in bytes. The longest field is a reason of 500 characters.
const maxForm = 64 << 10

// form is what was typed, and what is wrong with it.
type form struct {
	values url.Values
	l      i18n.Locale
	errs   []ui.FieldError
	status int           // of the answer; 200 while nothing is wrong
	after  time.Duration // when trying again makes sense; 0: not said
}

// form reads the request's form.
//
// Faults: TooLarge "form-too-large"; Malformed "form-malformed".
func (g *guest) form(w http.ResponseWriter) (*form, error) {
	g.r.Body = http.MaxBytesReader(w, g.r.Body, maxForm)
	if err := g.r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, fault.New(fault.TooLarge, "form-too-large")
		}
		return nil, fault.New(fault.Malformed, "form-malformed")
	}
	f := &form{values: g.r.PostForm, l: g.page.Locale, status: http.StatusOK}
	for _, values := range f.values {
		for _, s := range values {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				return nil, fault.New(fault.Malformed, "form-malformed")
			}
		}
	}
	return f, nil
}

// get is what was typed into a field, without space around it.
func (f *form) get(name string) string { return strings.TrimFunc(f.values.Get(name), unicode.IsSpace) }

// shown is what a field of the page shows again: what was typed, but never a code.
func (f *form) shown(name string) string {
	if f == nil || secret(name) {
		return ""
	}
	return f.values.Get(name)
}

// or is what a field of the page shows: what was typed, or else what is in force.
func (f *form) or(name, otherwise string) string {
	if f == nil {
		return otherwise
	}
	return f.shown(name)
}

// secret names the fields that hold codes.
func secret(name string) bool { return name == "code" || name == "dispute_code" }

// refuse takes what an error says against the form, so that the page can be shown again with it. An error that is not about what was
// typed comes back, for the handler to return. refuse(nil) does nothing.
func (f *form) refuse(err error) error {
	if err == nil {
		return nil
	}
	e := fault.From(err)
	switch e.Kind {
	case fault.Malformed, fault.Conflict, fault.Gone, fault.Invalid, fault.TooMany:
	default:
		return err
	}
	f.add(e.Field, words(f.l, e))
	f.status = web.Status(e.Kind)
	f.after = e.RetryAfter
	return nil
}

// retry says when trying again makes sense, where the fault did.
func (f *form) retry(w http.ResponseWriter) {
	if f.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.after+time.Second-1)/time.Second)))
	}
}

// add notes something that is wrong with a field, "" for the form as a whole.
func (f *form) add(field, text string) {
	f.errs = append(f.errs, ui.FieldError{Field: field, Text: text})
	f.status = http.StatusUnprocessableEntity
}

// wrong tells whether the form has to be shown again.
func (f *form) wrong() bool { return f != nil && len(f.errs) > 0 }

// errors are for the summary at the top of the page; a form that was not sent yet has none.
func (f *form) errors() []ui.FieldError {
	if f == nil {
		return nil
	}
	return f.errs
}

// errorOf is what is wrong with one field, "" for nothing.
func (f *form) errorOf(field string) string { return ui.ErrorFor(f.errors(), field) }

// words is what a holder reads about a fault: the portal's own wording where it has one, the fault's otherwise.
func words(l i18n.Locale, err error) string {
	e := fault.From(err)
	if id := "portal.fault." + e.ID; i18n.Has(l, id) {
		return i18n.Text(l, id, e.Args...)
	}
	return fault.Text(l, err)
}
