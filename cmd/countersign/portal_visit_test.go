package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// visit is a session of the portal in a browser that runs no script and follows no redirect.
type visit struct {
	p       *platform
	account string
	id      string // of the session
	cookie  string
}

var onlyOne = &http.Client{
	Timeout:       patience,
	Transport:     client.Transport,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// visit opens a session and redeems its URL; in adds to the request that opens it.
func (p *platform) visit(account string, in object) visit {
	p.Helper()
	address := p.portalURL(account, in)
	v := visit{p: p, account: account}
	page := v.do(http.MethodGet, strings.TrimPrefix(address, p.main.URL()), nil)
	given := (&http.Response{Header: page.header}).Cookies()
	if page.status != http.StatusOK || len(given) != 1 {
		p.Fatalf("the page of a portal URL came with %d and %d cookies", page.status, len(given))
	}
	v.cookie = given[0].Name + "=" + given[0].Value
	v.id = given[0].Name[strings.LastIndexByte(given[0].Name, '-')+1:]
	if r := v.do(http.MethodPost, strings.TrimPrefix(address, p.main.URL()), url.Values{}); r.status != http.StatusSeeOther {
		p.Fatalf("redeeming a portal URL got %d: %s", r.status, r.raw)
	}
	return v
}

// do asks for a page, or sends a form to one; header names and values follow in pairs.
func (v visit) do(method, path string, form url.Values, header ...string) reply {
	v.p.Helper()
	r, err := http.NewRequestWithContext(v.p.Context(), method, v.p.main.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.p.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.p.main.URL())
	}
	if v.cookie != "" {
		r.Header.Set("Cookie", v.cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := onlyOne.Do(r)
	if err != nil {
		v.p.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		v.p.Fatal(err)
	}
	return reply{status: answer.StatusCode, header: answer.Header, raw: raw}
}
