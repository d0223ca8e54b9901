package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"countersign.dev/base/auth"
	"countersign.dev/base/fault"
	"countersign.dev/face/web"
)

// operation is one row of the table of operations.
type operation struct {
	method, path string
	tag          string
	scope        auth.Scope // what a key needs; "": no key is needed
	status       int        // of success; 0: 200, or 204 without a body
	summary      string
	text         string
	problems     []problems // beyond those that follow from the rest, see (operation).all
}

// problems are ids of one kind that an operation may answer with.
type problems struct {
	kind fault.Kind
	ids  []string
}

func of(kind fault.Kind, ids ...string) problems { return problems{kind, ids} }

// openapi is the row as huma takes it.
func (o operation) openapi(s *server, id string) huma.Operation {
	op := huma.Operation{
		OperationID: id, Method: o.method, Path: o.path, Tags: []string{o.tag}, Summary: o.summary, Description: o.text,
		DefaultStatus: o.status, MaxBodyBytes: web.MaxBody, BodyReadTimeout: bodyTimeout, RejectUnknownQueryParameters: o.scope != "",
		Responses: map[string]*huma.Response{},
		Security:  []map[string][]string{},
		Metadata:  map[string]any{scopeKey: o.scope, registryKey: s.api.OpenAPI().Components.Schemas},
	}
	if o.scope != "" {
		op.Security = append(op.Security, map[string][]string{securityScheme: {string(o.scope)}})
	}
	return op
}

func (o operation) route() Route { return Route{o.method + " " + o.path, o.scope} }

// What an operation's metadata hold.
const (
	scopeKey    = "scope"
	registryKey = "registry" // of schemas, for whoever has nothing but the operation
)

// handle puts the operation with this id on the mux.
func handle[I, O any](s *server, id string, h func(ctx context.Context, in *I) (*O, error)) {
	o := row(id)
	op := o.openapi(s, id)
	s.routes = append(s.routes, o.route())
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err == nil {
			return out, nil
		}
		if _, marked := errors.AsType[failed](err); !marked {
			err = failed{error: err}
		}
		return nil, err
	})
}

// page puts an operation on the mux whose answer is no JSON of ours.
func (s *server) page(id string, h http.Handler) {
	o := row(id)
	op := o.openapi(s, id)
	op.Responses["200"] = &huma.Response{Description: http.StatusText(http.StatusOK)}
	if name, found := pathParameter(o.path); found {
		op.Parameters = []*huma.Param{{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	s.api.OpenAPI().AddOperation(&op)
	s.routes = append(s.routes, o.route())
	s.mux.HandleFunc(o.route().Pattern, func(w http.ResponseWriter, r *http.Request) {
		if o.scope != "" {
			if _, err := web.Authorise(s.o.Auth, w, r, o.scope); err != nil {
				web.Fail(w, r, err)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

func pathParameter(path string) (name string, found bool) {
	if _, name, found = strings.Cut(path, "{"); found {
		name, _, found = strings.Cut(name, "}")
	}
	return name, found
}

func row(id string) operation {
	o, ok := operations[id]
	if !ok {
		panic("api: no operation " + id + " in the table")
	}
	return o
}

// call is what a handler knows of a request beside its input.
type call struct {
	key            auth.Key
	method, path   string
	idempotencyKey string
	marked         bool // an Idempotency-Key was given
}

type callKey struct{}

// callOf returns the call of an operation that needs a key.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

func actorOf(ctx context.Context) string { return callOf(ctx).key.Actor() }

// admit lets a request through that has a key with the operation's scope.
func (s *server) admit(ctx huma.Context, next func(huma.Context)) {
	scope, _ := ctx.Operation().Metadata[scopeKey].(auth.Scope)
	if scope == "" {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	key, err := web.Authorise(s.o.Auth, w, r, scope)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	c := &call{key: key, method: r.Method, path: r.URL.Path}
	if values := r.Header.Values("Idempotency-Key"); len(values) > 0 {
		c.marked, c.idempotencyKey = true, strings.Join(values, ",")
	}
	next(huma.WithValue(ctx, callKey{}, c))
}
