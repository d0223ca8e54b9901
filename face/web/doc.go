// Package web is what the faces share of HTTP: how a fault becomes an answer, and what surrounds every handler.
//
// [Wrap] goes around the program's whole handler, once. It gives each request an id, sets the headers that keep browsers strict,
// bounds the body, turns what the mux refuses and what panics into problem documents, and writes one line to the log. That line
// has the method, the route's pattern, the status and the time it took, and of what came from outside the account's id at most: no
// query, no other part of the path, no header and no body.
//
// A fault is answered as a problem document (RFC 9457) in the language that the request asks for. Its type is [TypeBase] and the
// fault's id. This package has the one table of kinds and status numbers. What Wrap itself refuses is shown to browsers as a page,
// where there is one.
//
// The program's routes are on one [Mux], which knows them, so that tests can hold each to a rule.
//
// It leans on base/fault, base/i18n, base/auth (keys and their scopes) and base/store (request ids).
package web
