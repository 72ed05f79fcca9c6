CREATE TABLE sessions (
    -- SHA-256 of the id in the cookie: a stolen row opens nothing.
    id_digest BLOB NOT NULL PRIMARY KEY,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    ip TEXT NOT NULL DEFAULT '',
    user_agent TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    -- The absolute end, which no activity moves.
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- A form that makes a token carries a nonce; using it leaves a row here, in the transaction that makes the token.
CREATE TABLE used_form_nonces (
    digest BLOB NOT NULL PRIMARY KEY,
    token_id BIGINT REFERENCES access_tokens (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX used_form_nonces_token_id ON used_form_nonces (token_id);
CREATE INDEX used_form_nonces_created_at ON used_form_nonces (created_at);

CREATE TABLE sign_in_failures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- A keyed digest of what was typed as the login: the table names nobody.
    account_digest BLOB NOT NULL,
    address_prefix TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX sign_in_failures_account ON sign_in_failures (account_digest, created_at);
CREATE INDEX sign_in_failures_address ON sign_in_failures (address_prefix, created_at);
CREATE INDEX sign_in_failures_created_at ON sign_in_failures (created_at);
