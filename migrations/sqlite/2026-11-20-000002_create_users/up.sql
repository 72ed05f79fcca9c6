-- People and bots. A bot is the user behind one group or project access token.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 255),
    username_key TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('human', 'project_bot', 'ghost')),
    state TEXT NOT NULL CHECK (state IN ('active', 'blocked', 'deactivated')),
    admin BOOLEAN NOT NULL DEFAULT FALSE,
    external BOOLEAN NOT NULL DEFAULT FALSE,
    password_hash TEXT,
    -- The one group or project that a bot was made for; never changes.
    bot_group_id BIGINT,
    bot_project_id BIGINT,
    -- Set when the bot's token was revoked and nothing of it is kept: from then on it counts as absent.
    bot_gone_at TIMESTAMP,
    created_by_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    last_sign_in_at TIMESTAMP,
    confirmed_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK (kind = 'human' OR (admin = FALSE AND password_hash IS NULL)),
    CHECK (kind <> 'project_bot' OR ((bot_group_id IS NULL) <> (bot_project_id IS NULL)))
);
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_kind_id ON users (kind, id);
CREATE INDEX users_created_by_id ON users (created_by_id);
CREATE INDEX users_bot_gone_at ON users (bot_gone_at) WHERE bot_gone_at IS NOT NULL;
