-- The tokens of a group or project that weren't revoked, by their ends: counted when another one is to be made, and at the
-- top of their page. SQLite answers from an index alone only if it holds the column of the condition, too.
CREATE INDEX access_tokens_living_of_group ON access_tokens (group_id, expires_at, revoked) WHERE NOT revoked AND group_id IS NOT NULL;
CREATE INDEX access_tokens_living_of_project ON access_tokens (project_id, expires_at, revoked) WHERE NOT revoked AND project_id IS NOT NULL;
