package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"
)

// walk verifies the contacts of one account as an integrator would, over HTTP, and prints what is said.
type walk struct {
	ctx context.Context
	out io.Writer
	api *apiClient
}

func (w *walk) verify(say func(id string, args ...any)) error {
	contacts := "/v1/accounts/" + sampleAccount + "/contacts"
	if _, err := w.call(http.MethodGet, contacts, nil); err != nil {
		return err
	}
	for _, step := range []struct{ slot, method, text string }{
		{"email", "code", "cli.demo-email"},
		{"phone", "sms", "cli.demo-phone"},
	} {
		say(step.text, sampleAccount)
		v, err := w.call(http.MethodPost, contacts+"/"+step.slot+"/verifications", map[string]any{"method": step.method})
		if err != nil {
			return err
		}
		code, err := w.code(map[string]string{"code": "email", "sms": "sms"}[step.method])
		if err != nil {
			return err
		}
		if _, err := w.call(http.MethodPost, fmt.Sprintf("/v1/verifications/%s/check", v["id"]), map[string]any{"code": code}); err != nil {
			return err
		}
	}
	say("cli.demo-done", sampleAccount)
	_, err := w.call(http.MethodGet, contacts, nil)
	return err
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code reads the newest code of a channel from the outbox, as the account holder reads it on a screen.
func (w *walk) code(channel string) (string, error) {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		var messages []struct{ Channel, To, Subject, Text string }
		body, err := w.api.send(w.ctx, http.MethodGet, "/outbox.json", nil)
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(body, &messages); err != nil {
			return "", err
		}
		for _, m := range messages {
			if code := sixDigits.FindString(m.Text); m.Channel == channel && code != "" {
				fmt.Fprintf(w.out, "    [%s → %s] %s\n", channel, m.To, code)
				return code, nil
			}
		}
		select {
		case <-w.ctx.Done():
			return "", w.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return "", errors.New("no message arrived in the outbox")
}

// call makes one request and prints it with its answer.
func (w *walk) call(method, path string, in map[string]any) (out map[string]any, err error) {
	var sent []byte
	if in != nil {
		if sent, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(w.out, "  → %s %s %s\n", method, path, sent)
	body, err := w.api.send(w.ctx, method, path, sent)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if json.Indent(&indented, bytes.TrimSpace(body), "    ", "  ") == nil {
		fmt.Fprintf(w.out, "  ← %s\n", indented.Bytes())
	}
	return out, json.Unmarshal(body, &out)
}

// apiClient calls the service over HTTP with a key.
type apiClient struct{ url, key string }

// get reads the JSON answer to a GET.
func (c *apiClient) get(ctx context.Context, path string, out any) error {
	body, err := c.send(ctx, http.MethodGet, path, nil)
	if err == nil {
		err = json.Unmarshal(body, out)
	}
	return err
}

// send makes one request and returns the answer's body; a status of 400 or above is an error.
func (c *apiClient) send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, all)
	}
	return all, err
}
