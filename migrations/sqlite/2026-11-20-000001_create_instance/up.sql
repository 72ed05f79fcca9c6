-- One row that says which instance this is, and the settings and flags that differ from their defaults.
CREATE TABLE instance (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Goes up with every change of a setting or flag; nodes compare it with what they hold.
    settings_revision BIGINT NOT NULL DEFAULT 0,
    -- Of the instance secret: a start with another secret would orphan every token.
    secret_fingerprint TEXT,
    setup_token_digest BLOB,
    setup_token_expires_at TIMESTAMP
);
INSERT INTO instance (id) VALUES (1);

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE feature_flags (
    name TEXT NOT NULL PRIMARY KEY,
    enabled BOOLEAN NOT NULL
);
