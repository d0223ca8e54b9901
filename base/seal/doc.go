// Package seal keeps what is at rest unreadable for whoever has the database and not the keys.
//
// There are three kinds of keys. The keyset lives outside the database, in DATA/keys/keyset.json (mode 0600) or in a setting when
// several nodes share one database; it holds the wrapping keys, which rotate, and two secrets that never do, one for the blind index
// and one for MACs. A [DataKey] is made for each account, seals that account's values and rests in the account's row, wrapped by the
// keyset: rotation re-wraps one row an account, and destroying that row makes everything sealed under it unreadable. The instance's
// own data key seals what belongs to no account.
//
// [Attach] binds a keyset to a database. It makes keys only for an empty database; after that a missing or wrong keyset is refused
// and never replaced, because a new one could not read a single value. The fingerprint that tells them apart is a keyed hash that
// gives nothing away about the keys.
//
// What it promises: a value opens only under the key that sealed it and only in the place (table, row, column) that it was sealed
// for, and not at all if one bit of it changed; a blind index or MAC of one domain is of no use in another; every value that was
// ever sealed stays readable through any number of rotations; a keyset file is whole or absent, whatever fails when; no key shows up in
// a log, a format verb or JSON.
//
// What it does not do: hide how long a value is, or that two blind indexes are equal, or protect against someone who has both the
// database and the keyset. Keys are not wiped from memory.
//
// Values use AES-256-GCM with random 96-bit nonces, so one data key may seal 2^32 values (NIST SP 800-38D, 8.3). Data keys are
// wrapped by Tink's AEAD. Index and MAC are HMAC-SHA-256.
//
// It leans on base/store for the instance row and the accounts' wrapped keys, on base/fault for what an operator must be told.
package seal
