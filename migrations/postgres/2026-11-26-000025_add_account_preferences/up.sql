-- Moments as they are, and not as "3 days ago".
ALTER TABLE users ADD COLUMN exact_times BOOLEAN NOT NULL DEFAULT FALSE;
-- What the address of the person's expiry calendar is derived from; null until they ask for one. Another salt is another
-- address, and the old one is gone.
ALTER TABLE users ADD COLUMN calendar_salt BYTEA;
