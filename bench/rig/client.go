package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"
)

// Client calls the API as an integrator does, over connections that stay open. It is safe for concurrent use.
type Client struct {
	url, key string
	http     *http.Client
}

// NewClient returns a client that keeps up to conns connections.
func NewClient(url, key string, conns int) *Client {
	return &Client{url: url, key: key, http: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConns: conns, MaxIdleConnsPerHost: conns, DisableCompression: true},
	}}
}

// Close drops the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Problem is an answer other than 2xx.
type Problem struct {
	Status int
	ID     string // the end of the problem's type
	Body   string
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s", p.Status, p.Body) }

// Call makes one request; in and out are JSON and may be nil. An answer other than 2xx is a [*Problem]; after any other error nobody knows
// whether the request was carried out.
func (c *Client) Call(ctx context.Context, method, target string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+target, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return newProblem(answer.StatusCode, all)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(all, out)
}

func newProblem(status int, body []byte) *Problem {
	var document struct{ Type string }
	_ = json.Unmarshal(body, &document) // whatever it is, the status counts
	return &Problem{Status: status, ID: path.Base(document.Type), Body: string(body)}
}

// Verification is what the API says of one, as far as a bench looks at it.
type Verification struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Delivery string `json:"delivery"`
}

// PutAccount creates or changes an account.
func (c *Client) PutAccount(ctx context.Context, id, name string) error {
	return c.Call(ctx, http.MethodPut, "/v1/accounts/"+id, map[string]any{
		"name": name, "locale": "en", "time_zone": "Asia/Shanghai", "country": "GB",
	}, nil)
}

// PutEmail sets an account's emergency e-mail address.
func (c *Client) PutEmail(ctx context.Context, account, address string) error {
	return c.Call(ctx, http.MethodPut, "/v1/accounts/"+account+"/contacts/email", map[string]any{"value": address}, nil)
}

// Start starts a verification of it.
func (c *Client) Start(ctx context.Context, account string) (v Verification, err error) {
	err = c.Call(ctx, http.MethodPost, "/v1/accounts/"+account+"/contacts/email/verifications", map[string]any{"method": "code"}, &v)
	return v, err
}

// Resend sends another code.
func (c *Client) Resend(ctx context.Context, id string) (v Verification, err error) {
	err = c.Call(ctx, http.MethodPost, "/v1/verifications/"+id+"/resend", nil, &v)
	return v, err
}

// Check hands a code in.
func (c *Client) Check(ctx context.Context, id, code string) error {
	return c.Call(ctx, http.MethodPost, "/v1/verifications/"+id+"/check", map[string]any{"code": code}, nil)
}
