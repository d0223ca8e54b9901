-- +goose Up

-- The one row that ties this database to its keyset; see base/seal.
CREATE TABLE instance (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    fingerprint BYTEA  NOT NULL,
    data_key    BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL
);

-- Who may do a thing that only one node does at a time; see base/store.
CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT   NOT NULL,
    until  BIGINT NOT NULL
);

-- What happened; see base/event. An event of no account has the account id ''.
CREATE TABLE event (
    account_id TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    at         BIGINT  NOT NULL,
    body       TEXT    NOT NULL,
    sealed     BYTEA,
    seq        BIGINT,
    unhandled  BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (account_id, event_id)
);
CREATE UNIQUE INDEX event_seq ON event (seq) WHERE seq IS NOT NULL;
CREATE INDEX event_unnumbered ON event (event_id) WHERE seq IS NULL;
CREATE INDEX event_unhandled ON event (seq) WHERE unhandled;

-- Windows of what is limited; the key is a keyed hash. See base/ratelimit.
CREATE TABLE rate_window (
    key      BYTEA PRIMARY KEY,
    used     BIGINT NOT NULL,
    max_uses BIGINT NOT NULL,
    ends_at  BIGINT NOT NULL
);
CREATE INDEX rate_window_end ON rate_window (ends_at);

-- Keys of the platform's programs; see base/auth.
CREATE TABLE api_key (
    key_id     TEXT PRIMARY KEY,
    name       TEXT   NOT NULL,
    hash       BYTEA  NOT NULL,
    scopes     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);

-- What a POST with an Idempotency-Key answered; see face/api.
CREATE TABLE idempotency (
    key        BYTEA PRIMARY KEY,
    request    BYTEA  NOT NULL,
    status     BIGINT NOT NULL,
    problem    TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- +goose Down
DROP TABLE idempotency;
DROP TABLE api_key;
DROP TABLE rate_window;
DROP TABLE event;
DROP TABLE lease;
DROP TABLE instance;
