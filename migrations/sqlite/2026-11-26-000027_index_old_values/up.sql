-- Values that were rotated away and still work, by their ends: few among many revoked ones.
CREATE INDEX access_tokens_grace ON access_tokens (grace_until, group_id, project_id) WHERE grace_until IS NOT NULL;
