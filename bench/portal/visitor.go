package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"countersign.dev/bench/rig"
)

// returnURL is where the portal would lead back to; nobody goes there.
const returnURL = "http://localhost/account"

// visitor is an account holder whose browser has a session.
type visitor struct {
	session, cookie string
	verification    string // under way, of the e-mail address
}

// seat makes the accounts: with an e-mail address that is being verified, a phone that is not, and a session.
func (s *site) seat(ctx context.Context) error {
	s.visitors = make([]visitor, s.o.sessions)
	return rig.Each(8, s.o.sessions, func(i int) (err error) {
		s.visitors[i], err = s.seatOne(ctx, fmt.Sprintf("bench-%05d", i), i)
		return err
	})
}

func (s *site) seatOne(ctx context.Context, account string, i int) (v visitor, err error) {
	if err := s.client.PutAccount(ctx, account, "Lotus Trading"); err != nil {
		return v, err
	}
	if err := s.client.PutEmail(ctx, account, fmt.Sprintf("contact%05d@mail.example", i)); err != nil {
		return v, err
	}
	phone := map[string]any{"value": fmt.Sprintf("+86138%08d", 10_000_000+i)}
	if err := s.client.Call(ctx, http.MethodPut, "/v1/accounts/"+account+"/contacts/phone", phone, nil); err != nil {
		return v, err
	}
	started, err := s.client.Start(ctx, account)
	if err != nil {
		return v, err
	}
	var opened struct{ URL string }
	in := map[string]any{"account": account, "return_url": returnURL}
	if err := s.client.Call(ctx, http.MethodPost, "/v1/portal-sessions", in, &opened); err != nil {
		return v, err
	}
	v, err = redeem(ctx, opened.URL)
	v.verification = started.ID
	return v, err
}

// redeem opens a portal URL and presses its button.
func redeem(ctx context.Context, address string) (v visitor, err error) {
	page, err := ask(ctx, http.MethodGet, request{address, ""})
	if err != nil {
		return v, err
	}
	given := (&http.Response{Header: page.Header}).Cookies()
	if len(given) != 1 {
		return v, fmt.Errorf("the page of a portal URL came with %d cookies", len(given))
	}
	v.cookie = given[0].Name + "=" + given[0].Value
	v.session = given[0].Name[strings.LastIndexByte(given[0].Name, '-')+1:]
	_, err = ask(ctx, http.MethodPost, request{address, v.cookie})
	return v, err
}

// request is for one page, by one visitor.
type request struct{ url, cookie string }

// answer is a page as it came.
type answer struct {
	Header http.Header
	Body   []byte
}

// browser is the one client: connections stay open, redirects are not followed.
var browser = &http.Client{
	Timeout:       time.Minute,
	Transport:     &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// fetch gets a page, which must be there.
func fetch(ctx context.Context, r request) (answer, error) { return ask(ctx, http.MethodGet, r) }

func ask(ctx context.Context, method string, r request) (a answer, err error) {
	var form io.Reader = http.NoBody
	if method == http.MethodPost {
		form = strings.NewReader(url.Values{}.Encode())
	}
	asked, err := http.NewRequestWithContext(ctx, method, r.url, form)
	if err != nil {
		return a, err
	}
	asked.Header.Set("Accept", "text/html")
	asked.Header.Set("Cookie", r.cookie)
	answered, err := browser.Do(asked)
	if err != nil {
		return a, err
	}
	defer answered.Body.Close()
	if a.Body, err = io.ReadAll(answered.Body); err != nil {
		return a, err
	}
	if answered.StatusCode >= http.StatusBadRequest {
		return a, errors.New(answered.Status)
	}
	a.Header = answered.Header
	return a, nil
}
