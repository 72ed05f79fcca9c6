-- What a refusal is found by when it comes again: what was refused, to whom, from which network.
ALTER TABLE audit_events ADD COLUMN refusal_key TEXT;
CREATE INDEX audit_events_refusal ON audit_events (refusal_key, created_at, id) WHERE refusal_key IS NOT NULL;
CREATE INDEX audit_events_of_strangers ON audit_events (event, created_at, id)
    WHERE refusal_key IS NOT NULL AND actor_id IS NULL;

-- The trail only grows: nobody takes an event out, and all that changes of one is how often it happened.
CREATE TRIGGER audit_events_are_kept BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are kept');
END;
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
WHEN NOT (
    NEW.id IS OLD.id
    AND NEW.created_at IS OLD.created_at
    AND NEW.event IS OLD.event
    AND NEW.actor_kind IS OLD.actor_kind
    AND NEW.actor_id IS OLD.actor_id
    AND NEW.actor_name IS OLD.actor_name
    AND NEW.channel IS OLD.channel
    AND NEW.ip IS OLD.ip
    AND NEW.user_agent IS OLD.user_agent
    AND NEW.request_id IS OLD.request_id
    AND NEW.target_kind IS OLD.target_kind
    AND NEW.target_id IS OLD.target_id
    AND NEW.target_name IS OLD.target_name
    AND NEW.group_id IS OLD.group_id
    AND NEW.group_traversal IS OLD.group_traversal
    AND NEW.group_path IS OLD.group_path
    AND NEW.details IS OLD.details
    AND NEW.refusal_key IS OLD.refusal_key
    AND NEW.occurrences > OLD.occurrences
)
BEGIN
    SELECT RAISE(ABORT, 'audit events stay as they are');
END;

-- Newest first, whatever is looked for.
CREATE INDEX audit_events_time ON audit_events (created_at, id);
CREATE INDEX audit_events_named ON audit_events (event, created_at, id);
CREATE INDEX audit_events_actor ON audit_events (actor_id, created_at, id);
CREATE INDEX audit_events_actor_name ON audit_events (actor_name, created_at, id);
CREATE INDEX audit_events_channel ON audit_events (channel, created_at, id);
CREATE INDEX audit_events_target_kind ON audit_events (target_kind, created_at, id);
CREATE INDEX audit_events_target_id ON audit_events (target_id, created_at, id);
CREATE INDEX audit_events_target_name ON audit_events (target_name, created_at, id);
DROP INDEX audit_events_event;
DROP INDEX audit_events_target;
