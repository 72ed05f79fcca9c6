DROP INDEX users_bot_project_id;
DROP INDEX users_bot_group_id;
