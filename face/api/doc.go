// Package api is REST version 1: accounts, contacts, verifications, deferrals, disputes, sessions of the portal and the feed of events,
// with the document that describes it (OpenAPI 3.1), its page, and what watches the service: health and metrics.
//
// Each operation stands once in the table of operations.go: its route, the scope that a key needs, its texts and the problems that
// it may answer with. The handlers stand beside their subject and do no more than call a feature in one transaction.
//
// Promises: what is refused is a problem document (see face/web) that names the field and the rule, gives an example, and never
// repeats what was sent. Nothing is half done. A POST with an Idempotency-Key is done once in 24 hours; see idempotency.go. No
// answer holds a code or a link's token, nor tells one from another.
//
// The package leans on the features account, contact, verify and notice (references), on face/web and on base. What it returns is to
// be served inside [web.Wrap].
package api
