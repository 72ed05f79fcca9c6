ALTER TABLE access_tokens DROP COLUMN grace_until;
