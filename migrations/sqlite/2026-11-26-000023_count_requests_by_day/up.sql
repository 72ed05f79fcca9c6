-- How many requests a token made on a day, in UTC. Written in batches after the answers; kept for 30 days.
CREATE TABLE access_token_days (
    token_id BIGINT NOT NULL REFERENCES access_tokens (id) ON DELETE CASCADE,
    day DATE NOT NULL,
    requests BIGINT NOT NULL CHECK (requests > 0),
    PRIMARY KEY (token_id, day)
);
CREATE INDEX access_token_days_day ON access_token_days (day);
