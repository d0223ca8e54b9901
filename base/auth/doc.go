// Package auth knows who calls: today the platform's programs, by API key.
//
// A key's secret is shown once, when it is made, and rests only as a keyed hash: neither the database nor a dump of it gives a key
// that works. A key has scopes, and may do what one of them names and nothing else.
//
// [Auth.Authenticate] promises that an expiry holds to the microsecond of the database's clock, that a revocation holds at once on
// the node that made it, and on the others within [MaxCache]: that long a key that was found good is remembered, so that a busy
// program does not cost a query with each request.
//
// It leans on base/store, base/seal, base/event, base/fault and base/i18n.
package auth
