// Package portal is what account holders meet: the pages on which they verify, change, remove, defer and dispute their emergency
// contacts, see what happened, and choose language and zone. Each page works without scripts.
//
// A person comes from the platform with a one-time URL (GET /start/{token}), whose page has one button; its POST opens the session
// for that browser. From then on the session's id stands in the path and its secret in a cookie named after it, so that two accounts
// in one browser never mix. What a session may do, and how old its authentication may be, is asked on every request. A few pages
// need no session: the one a link in a mail leads to, and the one where an old contact disputes a change.
//
// GET and HEAD change nothing; a POST from another site is refused, one that succeeds is answered with a redirect, and one that fails
// with the same page and what was typed, codes excepted. An error is a page in the reader's language that says what happened and what
// to do next.
//
// [Portal.Routes] is the one table of the pages: the mux is made of it, and so is the test of who may see what.
//
// The package leans on account, contact, notice (for references), verify, channel/deliver, face/web, face/web/ui and base. Its handlers
// are to be served inside [web.Wrap].
package portal
