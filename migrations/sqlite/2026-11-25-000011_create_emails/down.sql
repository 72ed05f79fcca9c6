ALTER TABLE users DROP COLUMN unused_token_mails;
ALTER TABLE users DROP COLUMN expiry_mails;
ALTER TABLE groups DROP COLUMN lock_resource_access_token_notify_inherited;
ALTER TABLE groups DROP COLUMN resource_access_token_notify_inherited;
ALTER TABLE access_tokens DROP COLUMN sixty_days_notification_sent_at;
ALTER TABLE access_tokens DROP COLUMN thirty_days_notification_sent_at;
ALTER TABLE access_tokens DROP COLUMN seven_days_notification_sent_at;
DROP TABLE expiry_notices;
DROP TABLE emails;
