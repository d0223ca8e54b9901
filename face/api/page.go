package api

import (
	"encoding/base64"

	"countersign.dev/base/fault"
)

// maxPage is the most that a page holds.
const maxPage = 200

// PageQuery asks for one page of a list.
type PageQuery struct {
	PageSize  int    `query:"page_size" minimum:"1" maximum:"200" default:"50" doc:"The most that the page holds." example:"50"`
	PageToken string `query:"page_token" doc:"next_page_token of the page before, with the same other parameters." example:"0tzZ1wG3"`
}

// tokenMAC is the length of the keyed hash in a page token, in bytes.
const tokenMAC = 16

// sealToken makes a page token of the place where the next page begins, "" for none. It is good for the same query alone: otherwise
// a page could be made to begin at a place that the query's own order does not have.
func (s *server) sealToken(place string, query []string) string {
	if place == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(s.tokenMAC(place, query), place...))
}

// openToken returns the place in a page token, "" for no token.
//
// Faults: Malformed "page-token".
func (s *server) openToken(token string, query []string) (place string, err error) {
	if token == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil && len(raw) > tokenMAC {
		place = string(raw[tokenMAC:])
		if s.o.Keys.Equal(raw[:tokenMAC], s.tokenMAC(place, query)) {
			return place, nil
		}
	}
	return "", fault.New(fault.Malformed, "page-token").At("page_token")
}

func (s *server) tokenMAC(place string, query []string) []byte {
	return s.o.Keys.MAC("page-token", append([]string{place}, query...)...)[:tokenMAC]
}
