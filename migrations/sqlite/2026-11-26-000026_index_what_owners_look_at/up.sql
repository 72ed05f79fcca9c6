-- The events below a top-level group, which the first number of a traversal names, in the order of lists. In the words of
-- src/audit/filter.rs, or it would not be used.
CREATE INDEX audit_events_root ON audit_events (
    (substr(group_traversal, 1, length(group_traversal) - length(ltrim(group_traversal, '0123456789')))), created_at, id
);
-- All tokens below a top-level group, ended ones as well, by their age.
CREATE INDEX access_tokens_below ON access_tokens (root_id, id) WHERE root_id IS NOT NULL;
