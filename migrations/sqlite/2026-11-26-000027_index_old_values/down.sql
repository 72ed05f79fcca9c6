DROP INDEX access_tokens_grace;
