-- +goose Up

-- One attempt to prove a contact.
CREATE TABLE verification (
    account_id      TEXT   NOT NULL,
    verification_id TEXT   NOT NULL,
    slot            TEXT   NOT NULL,
    method          TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    contact_version BIGINT NOT NULL,
    target_index    BYTEA  NOT NULL,
    delivery_id     TEXT   NOT NULL,
    started_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    ended_at        BIGINT,
    PRIMARY KEY (account_id, verification_id)
);
CREATE UNIQUE INDEX verification_id ON verification (verification_id);
CREATE INDEX verification_open ON verification (expires_at) WHERE state = 'pending';
CREATE INDEX verification_proved ON verification (account_id, target_index) WHERE state = 'verified';

-- What a slot's verification in progress needs, and what outlives it: the run of wrong guesses and the
-- cool-down stay when the verification ends, when the contact is deleted and when it is set again.
CREATE TABLE verification_slot (
    account_id      TEXT   NOT NULL,
    slot            TEXT   NOT NULL,
    verification_id TEXT   NOT NULL,
    previous_id     TEXT   NOT NULL,
    contact_version BIGINT NOT NULL,
    codes           BYTEA  NOT NULL,
    expires_at      BIGINT NOT NULL,
    guesses         BIGINT NOT NULL,
    messages        BIGINT NOT NULL,
    wrong_run       BIGINT NOT NULL,
    message_run     BIGINT NOT NULL,
    next_at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, slot)
);

-- The texts of notices, compiled; a built-in text becomes a version at start-up. See notice.
CREATE TABLE template_version (
    version_id TEXT PRIMARY KEY,
    name       TEXT   NOT NULL,
    rule       BIGINT NOT NULL,
    compiled   TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- What is kept of a notice; secrets stand in no column of it.
CREATE TABLE notice (
    account_id       TEXT   NOT NULL,
    notice_id        TEXT   NOT NULL,
    reference        TEXT   NOT NULL,
    class            TEXT   NOT NULL,
    template_version TEXT   NOT NULL,
    locale           TEXT   NOT NULL,
    variables        BYTEA  NOT NULL,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (account_id, notice_id)
);
CREATE UNIQUE INDEX notice_reference ON notice (reference);

-- One attempt to bring a notice to one address. The row is the queue: it is to be claimed once due_at has come and no
-- lease holds it. The lease is in no index, so that a claim moves no index entry. payload holds the secret and goes
-- when the row is done.
CREATE TABLE delivery (
    account_id   TEXT   NOT NULL,
    delivery_id  TEXT   NOT NULL,
    notice_id    TEXT   NOT NULL,
    slot         TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    form         TEXT   NOT NULL,
    class        TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    address      BYTEA  NOT NULL,
    target_index BYTEA  NOT NULL,
    payload      BYTEA,
    attempts     BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    expires_at   BIGINT,
    created_at   BIGINT NOT NULL,
    done_at      BIGINT,
    code         BIGINT NOT NULL,
    enhanced     TEXT   NOT NULL,
    words        BYTEA,
    PRIMARY KEY (account_id, delivery_id)
);
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'queued';
CREATE INDEX delivery_done ON delivery (done_at, state) WHERE done_at IS NOT NULL;

-- +goose Down
DROP TABLE delivery;
DROP TABLE notice;
DROP TABLE template_version;
DROP TABLE verification_slot;
DROP TABLE verification;
