package api

import (
	"encoding/json"
	"errors"

	"github.com/danielgtaylor/huma/v2"
)

const jsonType = "application/json"

// maxDepth bounds how deep the JSON of a request is nested. What the API takes has two levels.
const maxDepth = 16

var errTooDeep = errors.New("nested too deep")

// jsonFormat reads and writes JSON, whatever of it there is in Accept and Content-Type.
func jsonFormat() huma.Format {
	f := huma.DefaultJSONFormat
	f.Unmarshal = func(data []byte, v any) error {
		if tooDeep(data) {
			return errTooDeep
		}
		return json.Unmarshal(data, v)
	}
	return f
}

// tooDeep counts open brackets outside of strings. Of text that is no JSON it may say anything.
func tooDeep(data []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
