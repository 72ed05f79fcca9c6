ALTER TABLE access_tokens DROP COLUMN imported_at;
