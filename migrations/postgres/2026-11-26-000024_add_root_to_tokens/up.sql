-- The top-level group above a group's or project's token, so that all tokens below it are found in order, however many
-- there are. Null for a person's own token.
ALTER TABLE access_tokens ADD COLUMN root_id BIGINT;
UPDATE access_tokens SET root_id = (SELECT groups.root_id FROM groups WHERE groups.id = access_tokens.group_id)
WHERE group_id IS NOT NULL;
UPDATE access_tokens SET root_id = (
    SELECT groups.root_id FROM projects JOIN groups ON groups.id = projects.group_id
    WHERE projects.id = access_tokens.project_id
) WHERE project_id IS NOT NULL;
CREATE INDEX access_tokens_root ON access_tokens (root_id, expires_at, id) WHERE NOT revoked;
