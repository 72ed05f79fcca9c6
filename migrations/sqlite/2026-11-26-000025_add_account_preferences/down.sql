ALTER TABLE users DROP COLUMN calendar_salt;
ALTER TABLE users DROP COLUMN exact_times;
