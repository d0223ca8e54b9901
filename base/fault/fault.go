// Package fault is the one error type that people and programs outside get to see.
//
// A fault has a [Kind], which says how to react, and a stable id, which says what happened. The wording belongs to neither: it is
// looked up by id in the catalogues when the fault reaches a face, in the language of whoever reads it (see [Text]). Problem
// documents, command-line messages and tests all name the id; once released, an id keeps its meaning.
//
// A fault carries no value that came from outside: no address, name, number or code, neither in its arguments nor in its extras.
// Its error text is for logs and holds the kind, the id and the cause.
//
// Faults are values. The methods that add to one return a copy, so that a fault kept in a variable can be shared.
//
// It leans on base/i18n for the wording, and on nothing else.
package fault

import (
	"errors"
	"maps"
	"time"

	"countersign.dev/base/i18n"
)

// Kind is the way to react to a fault. Status numbers of a protocol belong to its face.
type Kind uint8

// The kinds. The zero value is Internal, so that a fault nobody classified is treated as ours.
const (
	Internal        Kind = iota // our defect; the reader can only report it
	Malformed                   // the request cannot be read
	Unauthenticated             // no valid credential
	Forbidden                   // a valid credential that may not do this
	NotFound                    // the thing named does not exist
	Conflict                    // the state does not allow it now
	Gone                        // the state will never allow it again
	TooLarge                    // more than is accepted
	Invalid                     // readable, and against a rule
	TooMany                     // a limit is used up
	Unavailable                 // we cannot at the moment; trying again may help
)

var kindNames = [...]string{
	Internal:        "internal",
	Malformed:       "malformed",
	Unauthenticated: "unauthenticated",
	Forbidden:       "forbidden",
	NotFound:        "not-found",
	Conflict:        "conflict",
	Gone:            "gone",
	TooLarge:        "too-large",
	Invalid:         "invalid",
	TooMany:         "too-many",
	Unavailable:     "unavailable",
}

// String returns the kind's name as logs and metrics show it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Error is a fault. Make one with [New] and add to it with its methods.
type Error struct {
	Kind       Kind
	ID         string         // stable, lower case with hyphens; the catalogue key without "fault."
	Field      string         // the input it is about, as the caller named it; empty when it is about no single one
	Args       []any          // fill the text's verbs
	Extra      map[string]any // machine-readable members beside the text, such as guesses_left
	RetryAfter time.Duration  // when trying again makes sense; 0: not said

	cause error
}

// New returns a fault whose text is the catalogue entry "fault."+id, filled with args.
func New(kind Kind, id string, args ...any) *Error {
	return &Error{Kind: kind, ID: id, Args: args}
}

// At returns a copy that points to an input field.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// With returns a copy that has one more machine-readable member.
func (e *Error) With(key string, v any) *Error {
	c := *e
	c.Extra = maps.Clone(e.Extra)
	if c.Extra == nil {
		c.Extra = make(map[string]any, 1)
	}
	c.Extra[key] = v
	return &c
}

// After returns a copy that says when trying again makes sense.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Because returns a copy with a cause. The cause is for logs and for [errors.Is]; no face shows it.
func (e *Error) Because(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// Error returns "kind id (cause)", for logs. What people read comes from [Text].
func (e *Error) Error() string {
	s := e.Kind.String() + " " + e.ID
	if e.cause != nil {
		s += " (" + e.cause.Error() + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// From returns the outermost fault in err's chain. An error without one is a defect of ours and becomes the fault "internal"
// with err as its cause. From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(Internal, "internal").Because(err)
}

// Is reports whether the outermost fault in err's chain has this id.
func Is(err error, id string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.ID == id
}

// Text returns what a person is told about err, in their language. Errors that are no faults read as "internal", so that nothing
// from inside is shown. Text(l, nil) is empty.
func Text(l i18n.Locale, err error) string {
	e := From(err)
	if e == nil {
		return ""
	}
	return i18n.Text(l, "fault."+e.ID, e.Args...)
}
