DROP INDEX access_tokens_digest_version;
DROP TABLE imported_digests;
DROP TABLE imported_prefixes;
DROP TABLE imported_salts;
