package api

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestTooDeep(t *testing.T) {
	for text, want := range map[string]bool{
		"":   false,
		"{}": false,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth):     false,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1): true,
		strings.Repeat("[],", 100):                                        false,
		`"` + strings.Repeat("[", 100) + `"`:                              false,
		`"\"` + strings.Repeat("[", 100) + `"`:                            false,
		`"\\"` + strings.Repeat("[", 100):                                 true,
		`"\`:                                                              false,
	} {
		if got := tooDeep([]byte(text)); got != want {
			t.Errorf("%.20q…: %v", text, got)
		}
	}
}

// FuzzTooDeep compares it with how deep a decoder finds what is JSON.
func FuzzTooDeep(f *testing.F) {
	f.Add(`{"a":["\"[",{}]}`)
	f.Add(strings.Repeat(`{"a":[`, 9) + strings.Repeat("]}", 9))
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		if got, want := tooDeep([]byte(text)), depth(t, text) > maxDepth; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	})
}

func depth(t *testing.T, text string) (deepest int) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	for now := 0; ; {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return deepest
		case err != nil:
			t.Fatal(err)
		case token == json.Delim('{'), token == json.Delim('['):
			now++
			deepest = max(deepest, now)
		case token == json.Delim('}'), token == json.Delim(']'):
			now--
		}
	}
}
