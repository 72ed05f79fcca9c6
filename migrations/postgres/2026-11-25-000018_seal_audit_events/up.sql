-- What a refusal is found by when it comes again: what was refused, to whom, from which network.
ALTER TABLE audit_events ADD COLUMN refusal_key TEXT;
CREATE INDEX audit_events_refusal ON audit_events (refusal_key, created_at, id) WHERE refusal_key IS NOT NULL;
CREATE INDEX audit_events_of_strangers ON audit_events (event, created_at, id)
    WHERE refusal_key IS NOT NULL AND actor_id IS NULL;

-- The trail only grows: nobody takes an event out, and all that changes of one is how often it happened.
CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'occurrences' = to_jsonb(OLD) - 'occurrences'
        AND NEW.occurrences > OLD.occurrences
    THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'audit events stay as they are';
    END IF;
    RAISE EXCEPTION 'audit events are kept';
END
$$;
CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_refuse();
CREATE TRIGGER audit_events_are_kept BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse();

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
