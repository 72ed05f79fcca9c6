DROP INDEX users_unconfirmed;
ALTER TABLE users DROP COLUMN signed_up_at;
