// Package auth knows who calls: the platform's programs, by API key, and account holders, by a session of the portal.
//
// A key's secret is shown once, when it is made, and rests only as a keyed hash: neither the database nor a dump of it gives a key
// that works. A key has scopes, and may do what one of them names and nothing else.
//
// [Auth.Authenticate] promises that an expiry holds to the microsecond of the database's clock, that a revocation holds at once on
// the node that made it, and on the others within [MaxCache]: that long a key that was found good is remembered, so that a busy
// program does not cost a query with each request.
//
// [Sessions] promises that a URL of the portal is redeemed once, by one browser, and that a session belongs to that browser and to
// one account. What ends a session holds at once and on every node, for each request reads it. Where the portal leads back to is
// bounded by the operator's list, see [ReturnURLs].
//
// It leans on base/store, base/seal, base/event, base/fault and base/i18n.
package auth
