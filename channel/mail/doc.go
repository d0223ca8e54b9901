// Package mail brings messages out by SMTP: it composes and signs them, keeps connections to the operator's mail server, and says
// what the server answered.
//
// [ParseURL] reads COUNTERSIGN_SMTP_URL and [New] makes the [Sender] that channel/deliver hands its messages to. A message goes out
// as UTF-8 text and HTML side by side, signed with every DKIM key there is, from an envelope sender of its own that carries a signed
// delivery id, so that a failure report can be matched without trusting it ([Sender.ParseBounce]).
//
// Promises: nothing that a message holds can add a header field, a recipient or an SMTP command. Credentials go over TLS only. The
// bytes of a message depend on the message, the time and the keys alone, and its Message-ID on the delivery alone, so that a repeated
// message can be told. No address, name or text is logged; the server's words, which may hold the address, are in the result only.
// What concerns our own standing (greeting, TLS, authentication) never refuses a message: it waits and is tried again.
//
// The package leans on base/fault and on the message and result of channel/deliver.
package mail
