-- When somebody made the account for themselves, last; nothing: an administrator made it, or it was imported.
ALTER TABLE users ADD COLUMN signed_up_at TIMESTAMP;
UPDATE users SET signed_up_at = created_at WHERE kind = 'human' AND EXISTS (
    SELECT 1 FROM audit_events
    WHERE audit_events.target_kind = 'user'
        AND audit_events.target_id = users.id
        AND audit_events.event = 'user_signed_up'
);
CREATE INDEX users_unconfirmed ON users (id) WHERE signed_up_at IS NOT NULL AND confirmed_at IS NULL;
