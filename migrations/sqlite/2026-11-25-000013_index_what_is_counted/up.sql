-- Tokens, mails and deliveries by state, counted from an index alone.
CREATE INDEX access_tokens_state ON access_tokens (revoked, expires_at, group_id, project_id);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (state, created_at);
CREATE INDEX emails_state ON emails (state, created_at);
