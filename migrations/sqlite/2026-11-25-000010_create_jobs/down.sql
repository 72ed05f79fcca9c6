DROP INDEX memberships_expires_at;
ALTER TABLE instance DROP COLUMN lifetime_enforcement_at;
DROP TABLE job_runs;
DROP TABLE jobs;
