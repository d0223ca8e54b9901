package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/validation"

	"countersign.dev/base/fault"
	"countersign.dev/face/web"
)

// Huma has one place for the form of errors and for how strict it is: variables of its package. Nothing else of the program uses
// it. What it would say itself repeats the input, so all of it is said anew, as faults.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError { return &web.Problem{Status: status} }
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		r, w := humago.Unwrap(ctx)
		return web.Describe(w, r, faultOf(ctx.Operation(), status, errs))
	}
}

// failed marks what a handler of ours returned, to tell it from what huma found.
type failed struct {
	error
	replayed bool // it is what the request was answered before
}

func (f failed) Unwrap() error { return f.error }

// GetHeaders is for huma.
func (f failed) GetHeaders() http.Header {
	if !f.replayed {
		return nil
	}
	return http.Header{"Idempotency-Replayed": {"true"}}
}

// faultOf is what went wrong: what a handler returned, or what huma found in the request.
func faultOf(op *huma.Operation, status int, errs []error) error {
	var details []*huma.ErrorDetail
	for _, err := range errs {
		if f, ok := errors.AsType[failed](err); ok {
			return f.error
		}
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			details = append(details, d)
		}
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return fault.New(fault.TooLarge, "body-too-large", web.MaxBody)
	case status == http.StatusRequestTimeout, status == http.StatusInternalServerError:
		return fault.New(fault.Malformed, "body-incomplete")
	case len(details) == 0:
		return fault.New(fault.Malformed, "malformed-body")
	}
	// Of several, the first by place: the order in which they were found differs from time to time.
	return inputFault(op, slices.MinFunc(details, func(a, b *huma.ErrorDetail) int { return cmp.Compare(a.Location, b.Location) }))
}

// inputFault is one thing that is wrong with the input. Only the message and the place of d are used, never its value.
func inputFault(op *huma.Operation, d *huma.ErrorDetail) error {
	in, field, _ := strings.Cut(d.Location, ".")
	schema := schemaOf(op, in, field)
	switch {
	case d.Message == errTooDeep.Error():
		return fault.New(fault.Malformed, "too-deep", maxDepth)
	case d.Message == validation.MsgUnexpectedProperty:
		return fault.New(fault.Invalid, "unknown-field").At(field).With("allowed", fields(op))
	case in == "query" && schema == nil:
		return fault.New(fault.Invalid, "unknown-parameter").At(field).With("allowed", parameters(op))
	case in == "query" && field == "page_size":
		return fault.New(fault.Invalid, "page-size", maxPage).At(field)
	case in == "body" && field == "":
		return bodyFault(op, d)
	case schema == nil:
		return fault.New(fault.Malformed, "malformed-body").At(field)
	}
	return fault.New(fault.Invalid, "wrong-type", typeName(schema), example(schema)).At(field)
}

// bodyFault is about the body as a whole: a field that is missing, or no object at all.
func bodyFault(op *huma.Operation, d *huma.ErrorDetail) error {
	if s := bodySchema(op); s != nil {
		for _, name := range s.Required {
			if d.Message == fmt.Sprintf(validation.MsgExpectedRequiredProperty, name) {
				return fault.New(fault.Invalid, "missing-field", typeName(s.Properties[name]), example(s.Properties[name])).At(name)
			}
		}
	}
	return fault.New(fault.Malformed, "malformed-body")
}

// bodySchema describes the body of an operation; nil when it takes none.
func bodySchema(op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil || op.RequestBody.Content[jsonType] == nil {
		return nil
	}
	s := op.RequestBody.Content[jsonType].Schema
	if registry, ok := op.Metadata[registryKey].(huma.Registry); ok && s.Ref != "" {
		return registry.SchemaFromRef(s.Ref)
	}
	return s
}

// schemaOf describes one input; nil when the operation has none by that name.
func schemaOf(op *huma.Operation, in, field string) *huma.Schema {
	if in == "body" {
		if s := bodySchema(op); s != nil {
			return s.Properties[field]
		}
		return nil
	}
	for _, p := range op.Parameters {
		if p.In == in && p.Name == field {
			return p.Schema
		}
	}
	return nil
}

// fields names what the body may hold.
func fields(op *huma.Operation) []string {
	s := bodySchema(op)
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.Properties))
}

// parameters names what the query may hold.
func parameters(op *huma.Operation) []string {
	names := []string{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

func typeName(s *huma.Schema) string {
	if s.Format != "" {
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}

// example is the first of a schema's, as it stands in JSON.
func example(s *huma.Schema) string {
	if len(s.Examples) == 0 {
		return "null"
	}
	text, err := json.Marshal(s.Examples[0])
	if err != nil {
		return "null"
	}
	return string(text)
}
