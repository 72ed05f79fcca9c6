-- Whoever deletes a group or a project looks for its bots.
CREATE INDEX users_bot_group_id ON users (bot_group_id) WHERE bot_group_id IS NOT NULL;
CREATE INDEX users_bot_project_id ON users (bot_project_id) WHERE bot_project_id IS NOT NULL;
