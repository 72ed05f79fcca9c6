CREATE TABLE memberships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT REFERENCES groups (id) ON DELETE CASCADE,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    access_level INTEGER NOT NULL CHECK (access_level IN (10, 15, 20, 30, 40, 50)),
    -- The first day on which the membership no longer counts.
    expires_at DATE,
    -- A bot belongs to one group or project in the whole instance; the index below holds it to that.
    bot BOOLEAN NOT NULL DEFAULT FALSE,
    created_by_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((group_id IS NULL) <> (project_id IS NULL))
);
CREATE UNIQUE INDEX memberships_user_group ON memberships (user_id, group_id) WHERE group_id IS NOT NULL;
CREATE UNIQUE INDEX memberships_user_project ON memberships (user_id, project_id) WHERE project_id IS NOT NULL;
CREATE UNIQUE INDEX memberships_one_per_bot ON memberships (user_id) WHERE bot;
CREATE INDEX memberships_user ON memberships (user_id);
CREATE INDEX memberships_group ON memberships (group_id, access_level);
CREATE INDEX memberships_project ON memberships (project_id, access_level);
CREATE INDEX memberships_created_by_id ON memberships (created_by_id);
