-- Append-only. No foreign keys: an event outlives what it speaks of.
CREATE TABLE audit_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TIMESTAMP NOT NULL,
    event TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('human', 'bot', 'system', 'anonymous')),
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    -- page, api, console or job: where the actor stood.
    channel TEXT NOT NULL,
    ip TEXT NOT NULL DEFAULT '',
    user_agent TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    target_kind TEXT NOT NULL,
    target_id BIGINT,
    target_name TEXT NOT NULL,
    group_id BIGINT,
    group_traversal TEXT NOT NULL DEFAULT '',
    group_path TEXT NOT NULL DEFAULT '',
    details TEXT NOT NULL DEFAULT '{}',
    -- Refusals of one kind by one actor are counted on their first row for ten minutes.
    occurrences BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX audit_events_group ON audit_events (group_traversal, id);
CREATE INDEX audit_events_target ON audit_events (target_kind, target_id, id);
CREATE INDEX audit_events_event ON audit_events (event, created_at);
