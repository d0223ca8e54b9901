-- +goose Up

-- One customer of the platform. holder_* is what the account holder chose; it wins over what the platform says.
CREATE TABLE account (
    account_id       TEXT PRIMARY KEY,
    data_key         BYTEA  NOT NULL,
    wrapped_by       BIGINT NOT NULL,
    name             BYTEA  NOT NULL,
    mailbox          BYTEA,
    mailbox_index    BYTEA,
    locale           TEXT   NOT NULL,
    time_zone        TEXT   NOT NULL,
    country          TEXT   NOT NULL,
    holder_locale    TEXT   NOT NULL DEFAULT '',
    holder_time_zone TEXT   NOT NULL DEFAULT '',
    created_at       BIGINT NOT NULL,
    changed_at       BIGINT NOT NULL
);
CREATE INDEX account_changed ON account (changed_at, account_id);
CREATE INDEX account_wrapped ON account (wrapped_by, account_id);
CREATE INDEX account_mailbox ON account (mailbox_index) WHERE mailbox_index IS NOT NULL;

-- An emergency contact in its slot. version grows with each value that is set, pending ones included;
-- it is what a verification proves. pending_* is a new value that is not yet in force. A removed contact leaves its
-- row, emptied, in the state 'removed': so no version returns.
CREATE TABLE contact (
    account_id      TEXT   NOT NULL,
    slot            TEXT   NOT NULL,
    value           BYTEA  NOT NULL,
    value_index     BYTEA  NOT NULL,
    line            TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    set_at          BIGINT NOT NULL,
    verified_at     BIGINT,
    due_at          BIGINT,
    reminded_at     BIGINT,
    pending_value   BYTEA,
    pending_index   BYTEA,
    pending_line    TEXT   NOT NULL DEFAULT '',
    pending_at      BIGINT,
    PRIMARY KEY (account_id, slot)
);
CREATE INDEX contact_state ON contact (slot, state, account_id);
CREATE INDEX contact_value ON contact (value_index);
CREATE INDEX contact_due ON contact (due_at) WHERE state = 'verified';
CREATE INDEX contact_unreminded ON contact (due_at) WHERE state = 'verified' AND reminded_at IS NULL;

-- A verified contact that was changed or removed: until window_until both sides are told.
-- effective_at is empty while the new value waits for its verification.
CREATE TABLE contact_change (
    account_id   TEXT   NOT NULL,
    change_id    TEXT   NOT NULL,
    slot         TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    old_value    BYTEA  NOT NULL,
    old_index    BYTEA  NOT NULL,
    requested_at BIGINT NOT NULL,
    effective_at BIGINT,
    window_until BIGINT,
    PRIMARY KEY (account_id, change_id)
);
CREATE INDEX contact_change_waiting ON contact_change (account_id, slot) WHERE effective_at IS NULL;

-- The account's own "not now" for a slot. The reason is sealed: a person wrote it.
CREATE TABLE deferral (
    account_id  TEXT   NOT NULL,
    deferral_id TEXT   NOT NULL,
    slot        TEXT   NOT NULL,
    until       BIGINT NOT NULL,
    reason      BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, deferral_id)
);

-- +goose Down
DROP TABLE deferral;
DROP TABLE contact_change;
DROP TABLE contact;
DROP TABLE account;
