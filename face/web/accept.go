package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// prefersHTML tells whether a request would rather have a page than JSON: it is not of the API, and names text/html in its Accept
// header (RFC 9110 §12.5.1) with at least the weight of JSON. Programs that take anything get JSON.
func prefersHTML(r *http.Request) bool {
	if r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		return false
	}
	html, json := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		switch media {
		case "text/html":
			html = max(html, weight(parameters["q"]))
		case "application/json", problemType:
			json = max(json, weight(parameters["q"]))
		}
	}
	return html > 0 && html >= json
}

// weight reads the q of a media range; 1 when it is not given, 0 when it is none.
func weight(q string) float64 {
	if q == "" {
		return 1
	}
	w, err := strconv.ParseFloat(q, 64)
	if err != nil || !(w >= 0 && w <= 1) {
		return 0
	}
	return w
}
