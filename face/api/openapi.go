package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
	"countersign.dev/face/web"
)

const (
	securityScheme = "apiKey"
	problemType    = "application/problem+json"
	rawBodyType    = "application/octet-stream"

	// bodyTimeout bounds how long a body may take to arrive. It lasts until the answer, so it must outlast every handler.
	bodyTimeout = 30 * time.Second
)

const description = "Countersign makes sure that a platform can reach every account when it matters.\n\n" +
	"Send an API key as `Authorization: Bearer KEY`; each operation names the scope that the key needs. Times are RFC 3339 in UTC. " +
	"Lists are read page by page: give `next_page_token` as `page_token`.\n\n" +
	"What is refused is answered with a problem document (RFC 9457). Its `type` ends in an id that stays the same, and its texts are in " +
	"the language of `Accept-Language` (English, Simplified Chinese). With a 429, `Retry-After` says how many seconds to wait, where " +
	"waiting helps.\n\n" +
	"Every POST takes an optional `Idempotency-Key`. For 24 hours the same request with the same key is done once, and is answered again " +
	"with its status and with the thing as it stands by then."

func config(version string) huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		name := huma.DefaultSchemaNamer(t, hint)
		return strings.TrimSuffix(name, "JSON")
	})
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Countersign", Version: version, Description: description},
			Tags:    []*huma.Tag{{Name: tagAccounts}, {Name: tagContacts}, {Name: tagVerifications}, {Name: tagPortal}, {Name: tagEvents}, {Name: tagService}},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{securityScheme: {
					Type: "http", Scheme: "bearer", Description: "An API key, made with `countersign key create`.",
				}},
			},
		},
		Formats:       map[string]huma.Format{jsonType: jsonFormat(), "json": jsonFormat()},
		DefaultFormat: jsonType,
	}
}

// describe completes the document when all operations are on it, and writes it down.
func (s *server) describe() {
	doc := s.api.OpenAPI()
	problem := doc.Components.Schemas.Schema(reflect.TypeFor[web.Problem](), true, "")
	open := doc.Components.Schemas.SchemaFromRef(problem.Ref)
	open.AdditionalProperties = true
	open.Properties["guesses_left"] = &huma.Schema{Type: huma.TypeInteger, Description: "With incorrect-code: the guesses that are left.", Examples: []any{2}}
	open.Properties["allowed"] = &huma.Schema{
		Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString},
		Description: "With unknown-field and unknown-parameter: the names that are known.", Examples: []any{[]string{"code"}},
	}
	for _, item := range doc.Paths {
		for _, op := range methodsOf(item) {
			describeOperation(op, problem)
		}
	}
	s.written, s.writeErr = doc.MarshalJSON()
}

func methodsOf(p *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{p.Get, p.Put, p.Post, p.Delete}, func(op *huma.Operation) bool { return op == nil })
}

// describeOperation adds what follows from the table: the problems, the header of a POST, the words of a success.
func describeOperation(op *huma.Operation, problem *huma.Schema) {
	o := row(op.OperationID)
	if op.RequestBody != nil {
		delete(op.RequestBody.Content, rawBodyType) // the handler reads it as well; nobody sends it
	}
	delete(op.Responses, "default")
	if o.method == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Example: "5f0c7a52-7d3e-4a7e-9c0b-2f6f0d3a9b11",
			Description: "Makes the request safe to repeat: 1 to 255 printable ASCII characters, new for each new request.",
		})
	}
	if op.OperationID == "put-account" {
		created := *op.Responses["200"]
		created.Description = http.StatusText(http.StatusCreated)
		op.Responses["201"] = &created
	}
	for kind, ids := range o.all(op.RequestBody != nil, len(parameters(op)) > 0) {
		op.Responses[strconv.Itoa(web.Status(kind))] = problemResponse(kind, ids, problem)
	}
}

func problemResponse(kind fault.Kind, ids []string, problem *huma.Schema) *huma.Response {
	r := &huma.Response{
		Description: i18n.Text(i18n.En, "fault.kind."+kind.String()) + ": " + strings.Join(ids, ", "),
		Content:     map[string]*huma.MediaType{problemType: {Schema: problem}},
		Extensions:  map[string]any{"x-problems": ids},
	}
	if kind == fault.TooMany {
		r.Headers = map[string]*huma.Param{"Retry-After": {
			Description: "Seconds to wait; absent where waiting does not help.", Schema: &huma.Schema{Type: huma.TypeInteger},
		}}
	}
	return r
}

// all returns the ids of every problem that the operation may answer with, by kind: those of its row, and those that follow from
// what it takes.
func (o operation) all(hasBody, hasQuery bool) map[fault.Kind][]string {
	list := slices.Clone(o.problems)
	if o.tag != tagService {
		list = append(list, of(fault.Internal, "internal"), of(fault.Unavailable, "unavailable"), of(fault.Invalid, "unknown-parameter"),
			of(fault.NotFound, "not-found"))
	}
	if o.scope != "" {
		list = append(list, of(fault.Unauthenticated, "unauthenticated", "key-expired", "key-revoked"), of(fault.Forbidden, "wrong-scope"))
	}
	if hasBody {
		list = append(list, of(fault.Malformed, "malformed-body", "body-incomplete", "too-deep"), of(fault.TooLarge, "body-too-large"),
			of(fault.Invalid, "unknown-field", "missing-field"))
	}
	if hasBody || hasQuery {
		list = append(list, of(fault.Invalid, "wrong-type"))
	}
	if o.method == http.MethodPost {
		list = append(list, of(fault.Malformed, "idempotency-key-too-long", "idempotency-key-characters"),
			of(fault.Invalid, "idempotency-mismatch"), of(fault.Conflict, "in-progress"), of(fault.Gone, "idempotency-gone"))
	}
	all := map[fault.Kind][]string{}
	for _, p := range list {
		all[p.kind] = append(all[p.kind], p.ids...)
	}
	for kind, ids := range all {
		slices.Sort(ids)
		all[kind] = slices.Compact(ids)
	}
	return all
}

// faultsWith returns the ids of all faults that start so.
func faultsWith(prefix string) []string {
	var ids []string
	for _, id := range i18n.IDs(i18n.En) {
		if id, found := strings.CutPrefix(id, "fault."); found && strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	return ids
}

// document answers with the OpenAPI document.
func (s *server) document(w http.ResponseWriter, r *http.Request) {
	if s.writeErr != nil {
		web.Fail(w, r, s.writeErr)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(s.written) // whoever asked may be gone
}
