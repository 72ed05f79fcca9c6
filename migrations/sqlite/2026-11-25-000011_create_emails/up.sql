-- Mails to be sent, written in the transaction of what they speak of. The body is made from `data` when it is sent.
CREATE TABLE emails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Says what the mail speaks of, so that nobody is told twice; Message-ID is derived from it.
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What the body needs to know, as JSON. Never a secret.
    data TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'refused', 'dropped')),
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at TIMESTAMP NOT NULL,
    -- From then on it is of no use to anybody.
    give_up_at TIMESTAMP,
    last_error TEXT,
    created_at TIMESTAMP NOT NULL,
    settled_at TIMESTAMP,
    CHECK ((state IN ('waiting', 'sending')) = (settled_at IS NULL))
);
CREATE INDEX emails_due_at ON emails (due_at, id) WHERE settled_at IS NULL;
CREATE INDEX emails_settled_at ON emails (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX emails_user_id ON emails (user_id);
CREATE INDEX emails_unsent ON emails (id) WHERE state <> 'sent';

-- Who was told, or is to be told, that a token ends within so many days. Nobody is told twice.
CREATE TABLE expiry_notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id BIGINT NOT NULL REFERENCES access_tokens (id) ON DELETE CASCADE,
    interval_days BIGINT NOT NULL CHECK (interval_days IN (7, 30, 60)),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The mail that tells it; null until the end of the check where one mail tells of several.
    email_key TEXT REFERENCES emails (key) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX expiry_notices_once ON expiry_notices (token_id, interval_days, user_id);
CREATE INDEX expiry_notices_email_key ON expiry_notices (email_key);
CREATE INDEX expiry_notices_user_id ON expiry_notices (user_id);
CREATE INDEX expiry_notices_waiting ON expiry_notices (user_id, id) WHERE email_key IS NULL;

-- When a token's owners were told; a new row, as after a rotation, begins anew.
ALTER TABLE access_tokens ADD COLUMN seven_days_notification_sent_at TIMESTAMP;
ALTER TABLE access_tokens ADD COLUMN thirty_days_notification_sent_at TIMESTAMP;
ALTER TABLE access_tokens ADD COLUMN sixty_days_notification_sent_at TIMESTAMP;

-- Do inherited members get mails before tokens end? Null: as above. Locked: everything below does the same.
ALTER TABLE groups ADD COLUMN resource_access_token_notify_inherited BOOLEAN;
ALTER TABLE groups ADD COLUMN lock_resource_access_token_notify_inherited BOOLEAN NOT NULL DEFAULT FALSE;

-- A mail for each token, or one a day for all of them; and once a week, on request, which tokens nobody uses.
ALTER TABLE users ADD COLUMN expiry_mails TEXT NOT NULL DEFAULT 'single' CHECK (expiry_mails IN ('single', 'digest'));
ALTER TABLE users ADD COLUMN unused_token_mails BOOLEAN NOT NULL DEFAULT FALSE;
