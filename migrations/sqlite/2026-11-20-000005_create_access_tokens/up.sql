-- Personal, group and project access tokens: one table, because their ids are one sequence to every client.
CREATE TABLE access_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The resource that the token's bot was made for; both null for a person's own token.
    group_id BIGINT REFERENCES groups (id) ON DELETE CASCADE,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT CHECK (length(description) <= 255),
    scopes TEXT NOT NULL CHECK (length(scopes) > 0),
    digest BLOB NOT NULL,
    digest_version INTEGER NOT NULL DEFAULT 1,
    -- The last four characters, so that a person can match a value that they hold.
    hint TEXT NOT NULL,
    expires_at DATE,
    revoked BOOLEAN NOT NULL DEFAULT FALSE,
    impersonation BOOLEAN NOT NULL DEFAULT FALSE,
    previous_token_id BIGINT REFERENCES access_tokens (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK (group_id IS NULL OR project_id IS NULL)
);
CREATE UNIQUE INDEX access_tokens_digest ON access_tokens (digest);
CREATE INDEX access_tokens_user ON access_tokens (user_id, revoked, expires_at);
CREATE INDEX access_tokens_group ON access_tokens (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX access_tokens_project ON access_tokens (project_id, id) WHERE project_id IS NOT NULL;
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at, id) WHERE NOT revoked;
CREATE INDEX access_tokens_previous ON access_tokens (previous_token_id);

-- Written in batches after the answers, in tables of their own, so that access_tokens is written by people only.
CREATE TABLE access_token_uses (
    token_id BIGINT NOT NULL PRIMARY KEY REFERENCES access_tokens (id) ON DELETE CASCADE,
    last_used_at TIMESTAMP NOT NULL,
    -- The newest five different addresses, newest first, with single spaces between them.
    ips TEXT NOT NULL DEFAULT ''
);
