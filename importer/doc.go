// Package importer brings files of accounts and their emergency contacts in.
//
// A file is CSV (RFC 4180, with a header line) or NDJSON (one object a line), in UTF-8. Its columns, or keys, are account (required),
// name, locale, time_zone, country, mailbox, and for each slot its name, such as email, phone or email-2, and for phones also
// phone_extension, phone-2_extension and so on; upper and lower case are the same. What is empty or has no
// column is left as it is, so that a file of phone numbers erases no names. What comes in is unverified, and a contact in force is
// changed by the rules of package contact and by no others.
//
// It promises:
//
//   - A row goes in whole or not at all. A bad row takes no other with it: it is reported by line, field and rule, never with its
//     value, and reading goes on. After a quote that is broken it goes on with the next line.
//   - A row whose account stood on an earlier line is bad, whether or not that line was good, if only it could be read: which of the
//     two is right is not for a program to guess.
//   - Memory does not grow with the file, nor with a line or a field that has no end.
//   - To import a file again changes nothing that is as the file says, so an import that was cut off is simply started again.
//
// The package leans on account, contact, base/store, base/event, base/fault, base/i18n and base/address.
package importer
