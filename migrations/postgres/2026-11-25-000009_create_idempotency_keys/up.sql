-- A request that makes a token may carry a key; using it leaves a row here, in the transaction that makes the token.
CREATE TABLE idempotency_keys (
    -- A keyed digest of caller, endpoint and key: the table names nobody.
    digest BYTEA NOT NULL PRIMARY KEY,
    -- Of what was asked for: the same key for something else is a mistake.
    request_digest BYTEA NOT NULL,
    token_id BIGINT REFERENCES access_tokens (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX idempotency_keys_token_id ON idempotency_keys (token_id);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
