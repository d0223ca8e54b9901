package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

// TypeBase is what the type of every problem starts with; the fault's id follows.
const TypeBase = "https://countersign.dev/problems/"

// ContentType of a problem document.
const problemType = "application/problem+json"

// Problem is a problem document (RFC 9457). Extra are further members, beside the others.
type Problem struct {
	Type      string         `json:"type" format:"uri" doc:"What happened, as a URI that stays the same; its last part is the problem's id." example:"https://countersign.dev/problems/unknown-account"`
	Title     string         `json:"title" doc:"The kind of problem, in the language asked for." example:"Not found"`
	Status    int            `json:"status" doc:"The HTTP status." example:"404"`
	Detail    string         `json:"detail" doc:"What happened and what to do next, for a person, in the language asked for." example:"There is no account with this id. Check the id, or create the account with PUT /v1/accounts/{account}."`
	Field     string         `json:"field,omitempty" doc:"The input that it is about." example:"value"`
	RequestID string         `json:"request_id,omitempty" doc:"Names this request in the service's log." example:"01k2x8q4vdn5r3y6w7m9b1c2d4"`
	Extra     map[string]any `json:"-"`
}

// Error is the problem as a log shows it.
func (p *Problem) Error() string { return "problem " + p.Type }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type to send the problem with, whatever was negotiated: there is one.
func (*Problem) ContentType(string) string { return problemType }

// MarshalJSON writes the further members beside the others.
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	doc, err := json.Marshal((*plain)(p))
	if err != nil || len(p.Extra) == 0 {
		return doc, err
	}
	extra, err := json.Marshal(p.Extra)
	if err != nil {
		return nil, err
	}
	doc[len(doc)-1] = ','
	return append(doc, extra[1:]...), nil
}

// Describe makes the problem that answers an error, and sets the headers that go with it: Content-Language, Retry-After in whole
// seconds, WWW-Authenticate. An error that is a defect of ours is written to the log here, and nowhere else.
func Describe(w http.ResponseWriter, r *http.Request, err error) *Problem {
	f := fault.From(err)
	a := answerOf(w)
	switch {
	case f.Kind != fault.Internal:
	case r.Context().Err() != nil:
		f = fault.New(fault.Unavailable, "unavailable") // whoever asked is gone
	case a != nil && f.Unwrap() != nil:
		a.o.Log.LogAttrs(r.Context(), slog.LevelError, "a request failed",
			slog.String("request", a.id), slog.String("route", r.Pattern), slog.Any("error", err))
	}
	l := Locale(r)
	h := w.Header()
	h.Set("Content-Language", string(l))
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(f.RetryAfter)))
	}
	if f.Kind == fault.Unauthenticated {
		h.Set("WWW-Authenticate", challenge(r))
	}
	p := &Problem{
		Type: TypeBase + f.ID, Title: i18n.Text(l, "fault.kind."+f.Kind.String()), Status: Status(f.Kind),
		Detail: fault.Text(l, f), Field: f.Field, Extra: f.Extra,
	}
	if a != nil {
		p.RequestID = a.id
	}
	return p
}

// Fail answers with the problem that an error is.
func Fail(w http.ResponseWriter, r *http.Request, err error) { Describe(w, r, err).write(w) }

func (p *Problem) write(w http.ResponseWriter) {
	doc, err := json.Marshal(p)
	if err != nil { // of a member that no fault should have
		p.Extra = nil
		doc, _ = json.Marshal(p)
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(doc, '\n')) // whoever asked may be gone
}

// Locale is the language that a request asks for.
func Locale(r *http.Request) i18n.Locale {
	if wanted := r.Header.Get("Accept-Language"); wanted != "" {
		return i18n.Match(wanted)
	}
	return i18n.En
}

// challenge is RFC 6750 §3: an error code only for who tried a key.
func challenge(r *http.Request) string {
	if r.Header.Get("Authorization") == "" {
		return `Bearer realm="countersign"`
	}
	return `Bearer realm="countersign", error="invalid_token"`
}

// seconds rounds a pause up, so that who waits that long has waited enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
