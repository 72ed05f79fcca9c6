DROP TABLE access_token_days;
