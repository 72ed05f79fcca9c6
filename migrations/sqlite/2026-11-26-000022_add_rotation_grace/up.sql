-- A token that was rotated away counts as revoked from then on; its value goes on working until this moment. Null: it
-- ended with the rotation.
ALTER TABLE access_tokens ADD COLUMN grace_until TIMESTAMP;
