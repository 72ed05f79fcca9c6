DROP INDEX access_tokens_root;
ALTER TABLE access_tokens DROP COLUMN root_id;
