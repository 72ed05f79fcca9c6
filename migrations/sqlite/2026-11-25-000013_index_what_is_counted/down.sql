DROP INDEX emails_state;
DROP INDEX webhook_deliveries_state;
DROP INDEX access_tokens_state;
