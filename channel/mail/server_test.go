package mail

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"countersign.dev/base/fault"
)

func TestParseURL(t *testing.T) {
	for url, want := range map[string]Server{
		"smtp://mail.example.com":                                      {Host: "mail.example.com", Port: 587, TLS: TLSAlways},
		"smtp://mail.example.com:25/":                                  {Host: "mail.example.com", Port: 25, TLS: TLSAlways},
		"smtp://mail.example.com?starttls=opportunistic":               {Host: "mail.example.com", Port: 587, TLS: TLSOpportunistic},
		"smtp://mail.example.com?starttls=never":                       {Host: "mail.example.com", Port: 587, TLS: TLSNever},
		"smtp://localhost:25":                                          {Host: "localhost", Port: 25, TLS: TLSOpportunistic},
		"smtp://127.8.9.1:25":                                          {Host: "127.8.9.1", Port: 25, TLS: TLSOpportunistic},
		"smtp://[::1]:25":                                              {Host: "::1", Port: 25, TLS: TLSOpportunistic},
		"smtp://127.0.0.1:25?starttls=always":                          {Host: "127.0.0.1", Port: 25, TLS: TLSAlways},
		"smtps://mail.example.com":                                     {Host: "mail.example.com", Port: 465, TLS: TLSImplicit},
		"smtp://a%40b:p%2Fw%3F@mail.example.com:587":                   {Host: "mail.example.com", Port: 587, TLS: TLSAlways, user: "a@b", password: "p/w?"},
		"smtps://user:pass@mail.example.com:1465":                      {Host: "mail.example.com", Port: 1465, TLS: TLSImplicit, user: "user", password: "pass"},
		"smtp://user:pass@mail.example.com:587?starttls=opportunistic": {Host: "mail.example.com", Port: 587, TLS: TLSOpportunistic, user: "user", password: "pass"},
	} {
		got, err := ParseURL(url)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v", url, got, err)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for url, id := range map[string]string{
		"":                     "smtp-url-scheme",
		"mail.example.com:25":  "smtp-url-scheme",
		"http://secret.test":   "smtp-url-scheme",
		"smtp://u:secret%zz@a": "smtp-url-malformed",
		"smtp://a?secret=%zz":  "smtp-url-malformed",
		"smtp://":              "smtp-url-host",
		"smtp://:25":           "smtp-url-host",
		"smtp://a:0":           "smtp-url-host",
		"smtp://a:65536":       "smtp-url-host",
		"smtp://a:secret":      "smtp-url-malformed",
		"smtp://a/secret":      "smtp-url-rest",
		"smtp://a#secret":      "smtp-url-rest",
		"smtp://secret@a":      "smtp-url-credentials",
		"smtp://:secret@a":     "smtp-url-credentials",
		"smtp://u:secret%00@a": "smtp-url-credentials",
		"smtp://a?secret=1":    "smtp-url-option",
		"smtp://a?starttls=always&starttls=never":  "smtp-url-option",
		"smtp://a?starttls=secret":                 "smtp-url-starttls",
		"smtp://a?starttls=":                       "smtp-url-starttls",
		"smtp://a?starttls=implicit":               "smtp-url-starttls",
		"smtps://a?starttls=always":                "smtp-url-starttls",
		"smtp://u:secret@a?starttls=never":         "smtp-auth-needs-tls",
		"smtp://u:secret@127.0.0.1?starttls=never": "smtp-auth-needs-tls",
	} {
		_, err := ParseURL(url)
		if !fault.Is(err, id) {
			t.Errorf("%s: got %v, want %s", url, err, id)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "secret") {
				t.Errorf("%s: the error repeats the input: %v", url, e)
			}
		}
	}
}

func TestServerPrintsNoCredentials(t *testing.T) {
	s, err := ParseURL("smtp://canary-user:canary-pass@mail.example.com:25")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{s, &s, Options{Server: s}} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "canary") {
				t.Errorf("%s: %s", verb, out)
			}
		}
	}
}

// Whatever is accepted is accepted again from its printed form, and means the same.
func FuzzParseURL(f *testing.F) {
	f.Add("smtp://mail.example.com:587?starttls=always")
	f.Add("smtps://u:p@[::1]:465")
	f.Fuzz(func(t *testing.T, s string) {
		first, err := ParseURL(s)
		if err != nil {
			return
		}
		second, err := ParseURL(first.String())
		first.user, first.password = "", ""
		if err != nil || first != second {
			t.Fatalf("%v, then %v, %v", first, second, err)
		}
	})
}
