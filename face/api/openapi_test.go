package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/apptest"
	"countersign.dev/base/i18n"
	"countersign.dev/base/store"
	"countersign.dev/face/api"
)

// one is a bundle on the embedded database, for what no database matters to.
func one(t *testing.T) *bundle {
	t.Helper()
	return setup(t, apptest.Open(t, store.SQLite, nil), nil)
}

func TestTheDocumentIsWhole(t *testing.T) {
	b := one(t)
	out := b.want(200, "", request{method: "GET", path: "/v1/openapi.json", header: map[string]string{"Authorization": ""}})
	if out.doc["openapi"] != "3.1.0" || out.doc["info"].(map[string]any)["version"] != "0.0.0-test" {
		t.Errorf("%v, %v", out.doc["openapi"], out.doc["info"])
	}
	walk(out.doc, "", func(place string, node map[string]any) {
		if ref, ok := node["$ref"].(string); ok && !resolves(out.doc, ref) {
			t.Errorf("%s: %s leads nowhere", place, ref)
		}
	})
	for path, item := range out.doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			wholeOperation(t, method+" "+path, op.(map[string]any))
		}
	}
	for name, schema := range out.doc["components"].(map[string]any)["schemas"].(map[string]any) {
		for field, property := range schema.(map[string]any)["properties"].(map[string]any) {
			if p := property.(map[string]any); p["$ref"] == nil && p["items"] == nil && p["examples"] == nil {
				t.Errorf("%s.%s has no example", name, field)
			}
		}
	}
}

func wholeOperation(t *testing.T, name string, op map[string]any) {
	t.Helper()
	for _, key := range []string{"operationId", "summary", "tags", "responses", "security"} {
		if op[key] == nil || op[key] == "" {
			t.Errorf("%s has no %s", name, key)
		}
	}
	if op["requestBody"] != nil {
		content := op["requestBody"].(map[string]any)["content"].(map[string]any)
		if len(content) != 1 || content["application/json"] == nil {
			t.Errorf("%s takes %v", name, content)
		}
	}
	success := 0
	for status, r := range op["responses"].(map[string]any) {
		r := r.(map[string]any)
		if status < "400" {
			success++
			continue
		}
		if r["content"].(map[string]any)["application/problem+json"] == nil {
			t.Errorf("%s %s is no problem", name, status)
		}
		for _, id := range r["x-problems"].([]any) {
			if !i18n.Has(i18n.En, "fault."+id.(string)) {
				t.Errorf("%s %s: there is no problem %s", name, status, id)
			}
		}
	}
	if success == 0 {
		t.Errorf("%s never succeeds", name)
	}
	if parameters, _ := op["parameters"].([]any); strings.Count(name, "{") > len(parameters) {
		t.Errorf("%s does not describe its path", name)
	}
}

// walk visits every object of a JSON document.
func walk(node any, place string, visit func(place string, node map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		visit(place, n)
		for key, child := range n {
			walk(child, place+"/"+key, visit)
		}
	case []any:
		for _, child := range n {
			walk(child, place, visit)
		}
	}
}

// resolves follows a reference within the document (RFC 6901).
func resolves(doc map[string]any, ref string) bool {
	path, local := strings.CutPrefix(ref, "#/")
	var node any = doc
	for part := range strings.SplitSeq(path, "/") {
		object, ok := node.(map[string]any)
		if !ok || !local {
			return false
		}
		if node, ok = object[part]; !ok {
			return false
		}
	}
	return true
}

func TestEveryRouteIsInTheDocument(t *testing.T) {
	b := one(t)
	documented := map[string]bool{}
	for path, item := range b.doc.Paths {
		for method, op := range map[string]any{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "DELETE": item.Delete} {
			if o := b.operation(method, path); op != nil && o != nil {
				documented[method+" "+path] = true
			}
		}
	}
	served := map[string]bool{}
	for _, pattern := range b.server.Patterns() {
		served[pattern] = true
	}
	if d := cmp.Diff(documented, served); d != "" || len(served) < 22 {
		t.Errorf("documented (-) and served (+): %s", d)
	}
}

// Whoever holds every route to a rule goes by this list.
func TestTheRoutesSayWhichScopeTheyNeed(t *testing.T) {
	b := one(t)
	handler := api.New(b.options)
	scopes := map[string]string{}
	for _, r := range handler.Routes() {
		scopes[r.Pattern] = string(r.Scope)
	}
	documented := map[string]string{}
	for _, pattern := range handler.Patterns() {
		documented[pattern] = ""
		method, path, _ := strings.Cut(pattern, " ")
		for _, need := range b.operation(method, path).Security {
			for _, list := range need {
				documented[pattern] = strings.Join(list, " ")
			}
		}
	}
	if d := cmp.Diff(documented, scopes); d != "" {
		t.Errorf("documented (-) and told (+): %s", d)
	}
}

func TestTheDocumentsPage(t *testing.T) {
	b := one(t)
	page := b.get("/v1/docs")
	if got := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self';") || strings.Contains(got, "unsafe") {
		t.Error(got)
	}
	for _, file := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"} {
		if !strings.Contains(page.text, `"docs/`+file+`"`) {
			t.Errorf("the page does not use %s", file)
		}
		if out := b.get("/v1/docs/" + file); out.text == "" || out.header.Get("Content-Type") == "" {
			t.Errorf("%s is empty", file)
		}
	}
	if strings.Contains(page.text, "<script>") || strings.Contains(page.text, "<style>") || strings.Contains(page.text, "//") {
		t.Error("the page has a script or style of its own, or reaches out")
	}
	b.want(404, "not-found", request{method: "GET", path: "/v1/docs/index.html"})
}

func TestAnExampleOfEachInputIsTaken(t *testing.T) {
	b := one(t)
	b.account("seller-4711")
	schemas := b.doc.Components.Schemas.Map()
	for _, tt := range []struct{ method, path, schema string }{
		{http.MethodPut, "/v1/accounts/seller-4711", "AccountInput"},
		{http.MethodPost, "/v1/accounts/seller-4711/contacts/phone/verifications", "MethodInput"},
		{http.MethodPost, "/v1/portal-sessions", "PortalSessionInput"},
	} {
		body := map[string]any{}
		for name, property := range schemas[tt.schema].Properties {
			body[name] = property.Examples[0]
		}
		if out := b.do(request{method: tt.method, path: tt.path, body: body}); out.status >= 300 {
			raw, _ := json.Marshal(body)
			t.Errorf("%s: %d %s", raw, out.status, out.text)
		}
	}
}
