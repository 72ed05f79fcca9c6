-- Salts under which another product hashed the values of tokens that were imported from it; kept while such tokens are
-- there (access_tokens.digest_version = 2).
CREATE TABLE imported_salts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- A keyed digest of the salt, so that it is kept once.
    digest BLOB NOT NULL UNIQUE,
    -- Encrypted under a key of the instance secret: it may be a key of the instance that it comes from.
    sealed BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- What the values of imported tokens begin with; logs leave out what begins so.
CREATE TABLE imported_prefixes (
    prefix TEXT NOT NULL PRIMARY KEY CHECK (length(prefix) BETWEEN 1 AND 20)
);

-- Digests of all tokens that were ever imported. Outlives the tokens: what was taken away here doesn't come back when
-- the same file is imported once more.
CREATE TABLE imported_digests (
    digest BLOB NOT NULL PRIMARY KEY
);

CREATE INDEX access_tokens_digest_version ON access_tokens (digest_version) WHERE digest_version <> 1;
