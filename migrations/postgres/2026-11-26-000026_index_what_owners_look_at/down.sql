DROP INDEX access_tokens_below;
DROP INDEX audit_events_root;
