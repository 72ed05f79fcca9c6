DROP TABLE access_token_uses;
DROP TABLE access_tokens;
