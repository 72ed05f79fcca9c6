-- Of top-level groups, on a hosted instance: what they pay for, and whether that is only tried.
ALTER TABLE groups ADD COLUMN plan TEXT NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'premium', 'ultimate'));
ALTER TABLE groups ADD COLUMN trial BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX groups_retain_bots ON groups (full_path) WHERE retain_bots IS NOT NULL;

-- Somebody who signed up and waits, blocked, until an administrator lets them in.
ALTER TABLE users ADD COLUMN approval_requested_at TIMESTAMP;
CREATE INDEX users_approval_requested_at ON users (approval_requested_at) WHERE approval_requested_at IS NOT NULL;

-- Links in mails that are good once: to confirm an address, or to set a new password. Their values are made from the
-- salt and a key that the database doesn't have.
CREATE TABLE account_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL CHECK (purpose IN ('confirmation', 'password_reset')),
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX account_links_digest ON account_links (digest);
CREATE INDEX account_links_user ON account_links (user_id, purpose, created_at);
CREATE INDEX account_links_expires_at ON account_links (expires_at);
