package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets/ui.css assets/app.js
var files embed.FS

// Assets are the files that pages load, ready to be sent: a name with a hash of the content, so that they are kept for good, and
// both plain and compressed. It may be used concurrently.
type Assets struct {
	urls   map[string]string // by plain name
	served map[string]*asset // by the name with the hash
}

type asset struct {
	plain, packed []byte // packed is nil when it would not be smaller
	kind, policy  string
	etag          string
}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// NewAssets prepares the style sheet, the script, and what is made from the brand: its colours, its icon, its logo.
func NewAssets(b *Brand) *Assets {
	a := &Assets{urls: map[string]string{}, served: map[string]*asset{}}
	for _, name := range []string{"ui.css", "app.js"} {
		content, err := files.ReadFile("assets/" + name)
		if err != nil {
			panic("ui: " + err.Error()) // part of the program
		}
		a.add(name, content)
	}
	a.add("brand.css", b.css())
	a.add("icon.svg", b.icon())
	if b.logo != nil {
		a.add("logo.svg", b.logo.svg)
	}
	return a
}

func (a *Assets) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:8])
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hash + ext
	a.urls[name] = "/assets/" + hashed
	// A picture that is opened by itself is a document: it runs nothing and loads nothing.
	a.served[hashed] = &asset{
		plain: content, packed: pack(content), kind: assetTypes[ext], etag: hash,
		policy: "default-src 'none'; frame-ancestors 'none'; sandbox",
	}
}

// pack compresses as well as gzip can; nil when that gains nothing.
func pack(content []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // only for a level that does not exist
	}
	_, _ = z.Write(content) // a buffer takes all
	_ = z.Close()
	if b.Len() >= len(content) {
		return nil
	}
	return b.Bytes()
}

// URL is the address of an asset: ui.css, app.js, brand.css, icon.svg, logo.svg. It is empty when there is none of that name.
func (a *Assets) URL(name string) string { return a.urls[name] }

// Handler serves the path value file, for a pattern like GET /assets/{file}. A name that is not there, such as one with the hash of
// an earlier version, is not found.
func (a *Assets) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := a.served[r.PathValue("file")]
		if !ok {
			w.Header().Set("Cache-Control", "no-store")
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	})
}

func (f *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Security-Policy", f.policy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	body, etag := f.plain, `"`+f.etag+`"`
	if f.packed != nil && takesGzip(r.Header.Get("Accept-Encoding")) {
		body, etag = f.packed, `"`+f.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // of a HEAD nothing is sent; whoever asked may be gone
}

// takesGzip reads an Accept-Encoding (RFC 9110 §12.5.3): gzip named, or any, and not with weight 0.
func takesGzip(accept string) bool {
	star := false
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		weight, hasWeight := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		accepted := !hasWeight || err == nil && q > 0
		if coding == "gzip" {
			return accepted
		}
		star = accepted
	}
	return star
}
