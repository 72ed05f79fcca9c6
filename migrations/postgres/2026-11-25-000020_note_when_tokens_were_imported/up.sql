-- Since when an imported token is here; null for those made here. What was used elsewhere before, nobody knows here: no token
-- counts as unused for a time in which it wasn't here.
ALTER TABLE access_tokens ADD COLUMN imported_at TIMESTAMP;
