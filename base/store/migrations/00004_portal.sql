-- +goose Up

-- A hosted session of an account holder; see base/auth. secret is the keyed hash of the browser's cookie, NULL until the
-- URL was redeemed. The token in the URL is derived from the session's id and rests nowhere. return_url is sealed.
CREATE TABLE portal_session (
    account_id       TEXT   NOT NULL,
    session_id       TEXT   NOT NULL,
    secret           BYTEA,
    return_url       BYTEA  NOT NULL,
    locale           TEXT   NOT NULL,
    flow             TEXT   NOT NULL,
    holder           TEXT   NOT NULL,
    rights           TEXT   NOT NULL,
    authenticated_at BIGINT,
    created_at       BIGINT NOT NULL,
    redeem_until     BIGINT NOT NULL,
    redeemed_at      BIGINT,
    seen_at          BIGINT,
    refused_at       BIGINT,
    ends_at          BIGINT NOT NULL,
    ended_at         BIGINT,
    PRIMARY KEY (account_id, session_id)
);
CREATE UNIQUE INDEX portal_session_id ON portal_session (session_id);
CREATE INDEX portal_session_end ON portal_session (ends_at);

-- The keyed hashes of the tokens of a verification by link, as verification_slot keeps those of codes. They stay when it
-- has ended, so that whoever follows the link is told what became of it.
ALTER TABLE verification ADD COLUMN tokens BYTEA;

-- What the mailbox was before an event changed it, until the old one was told.
CREATE TABLE mailbox_change (
    account_id TEXT  NOT NULL,
    event_id   TEXT  NOT NULL,
    old_value  BYTEA NOT NULL,
    PRIMARY KEY (account_id, event_id)
);

-- The code that a contact which was replaced or removed got, by the reference of the message; see contact.
CREATE TABLE dispute_code (
    account_id TEXT   NOT NULL,
    reference  TEXT   NOT NULL,
    change_id  TEXT   NOT NULL,
    hash       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, reference)
);
CREATE UNIQUE INDEX dispute_code_reference ON dispute_code (reference);

-- "This was not us", said of a change, once.
CREATE TABLE dispute (
    account_id TEXT   NOT NULL,
    change_id  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, change_id)
);

-- +goose Down
DROP TABLE dispute;
DROP TABLE dispute_code;
DROP TABLE mailbox_change;
ALTER TABLE verification DROP COLUMN tokens;
DROP TABLE portal_session;
