// Package address holds what a contact is reached by, an e-mail address or a phone number, as pure values.
//
// [ParseEmail] and [ParsePhone] take what a person typed or a file held and give a value in one form, or a fault that names the one
// rule that was broken. A value that came out of a parser is safe to put into a message header, an SMTP command or a tel: URI, and
// parsing its String gives the same value again. The zero value stands for "none".
//
// Each value has four faces: String for machines and for storage, Display for its owner, Masked for everyone else, and Key for the
// blind index and nothing else. A log gets none of them, also by accident: LogValue names the kind of value only.
//
// Errors are [*fault.Error] of kind Invalid with an id for each rule. They never hold what was typed, nor a part of it. Parsing
// costs a bounded time: longer inputs than 1 KiB are refused unread.
//
// Whether an address exists, or who owns it, is not known here; that is what a verification is for.
//
// It leans on base/fault, golang.org/x/text, golang.org/x/net/idna and the numbering plans of nyaruka/phonenumbers. All functions
// may be called concurrently.
package address
