DROP TABLE account_links;
DROP INDEX users_approval_requested_at;
ALTER TABLE users DROP COLUMN approval_requested_at;
DROP INDEX groups_retain_bots;
ALTER TABLE groups DROP COLUMN trial;
ALTER TABLE groups DROP COLUMN plan;
