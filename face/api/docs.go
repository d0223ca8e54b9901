package api

import (
	_ "embed"
	"io/fs"
	"net/http"

	swagger "github.com/swaggo/files/v2"

	"countersign.dev/base/fault"
	"countersign.dev/face/web"
)

// The page runs Swagger UI, which draws icons from data: URLs.
const docsPolicy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var (
	//go:embed docs/page.html
	docsHTML []byte
	//go:embed docs/start.js
	docsScript []byte
)

// docsFiles are the parts of the page, with their types.
var docsFiles = map[string]string{
	"swagger-ui.css":       "text/css; charset=utf-8",
	"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
	"start.js":             "text/javascript; charset=utf-8",
	"favicon-32x32.png":    "image/png",
}

func docsPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", docsPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(docsHTML) // whoever asked may be gone
}

func docsFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	contentType, known := docsFiles[name]
	if !known {
		web.Fail(w, r, fault.New(fault.NotFound, "not-found"))
		return
	}
	content := docsScript
	if name != "start.js" {
		var err error
		if content, err = fs.ReadFile(swagger.FS, name); err != nil {
			web.Fail(w, r, err)
			return
		}
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(content) // whoever asked may be gone
}
