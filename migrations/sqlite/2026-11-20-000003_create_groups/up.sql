-- Groups, and the personal namespace of each person (kind 'user').
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('group', 'user')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 255),
    description TEXT NOT NULL DEFAULT '',
    -- Derived from the ancestors and kept in step by whatever renames or moves a group.
    full_path TEXT NOT NULL,
    full_name TEXT NOT NULL,
    -- Ids from the root to this group, '1/17/203/': says in memory what lies above, and by range what lies below.
    traversal TEXT NOT NULL,
    root_id BIGINT NOT NULL REFERENCES groups (id) DEFERRABLE INITIALLY DEFERRED,
    parent_id BIGINT REFERENCES groups (id),
    owner_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    visibility TEXT NOT NULL CHECK (visibility IN ('private', 'internal', 'public')),
    -- Read from the root only; every subgroup and project follows it.
    resource_access_token_creation_allowed BOOLEAN NOT NULL DEFAULT TRUE,
    -- Null: the instance's flag decides. Read from the root only.
    retain_bots BOOLEAN,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((kind = 'user') = (owner_id IS NOT NULL)),
    CHECK (kind = 'group' OR parent_id IS NULL),
    CHECK (parent_id IS NULL OR resource_access_token_creation_allowed = TRUE)
);
CREATE UNIQUE INDEX groups_traversal ON groups (traversal);
CREATE INDEX groups_parent_id ON groups (parent_id);
CREATE INDEX groups_root_id ON groups (root_id);
CREATE INDEX groups_name ON groups (name, id);
CREATE UNIQUE INDEX groups_owner_id ON groups (owner_id) WHERE owner_id IS NOT NULL;

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id BIGINT NOT NULL REFERENCES groups (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 255),
    description TEXT NOT NULL DEFAULT '',
    visibility TEXT NOT NULL CHECK (visibility IN ('private', 'internal', 'public')),
    archived BOOLEAN NOT NULL DEFAULT FALSE,
    default_branch TEXT NOT NULL DEFAULT 'main',
    creator_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    last_activity_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX projects_group_id ON projects (group_id, id);
CREATE INDEX projects_created_at ON projects (created_at, id);
CREATE INDEX projects_creator_id ON projects (creator_id);

-- Who lives at which address: one name space for groups, people and projects, whatever their case.
CREATE TABLE routes (
    path_key TEXT NOT NULL PRIMARY KEY,
    group_id BIGINT REFERENCES groups (id) ON DELETE CASCADE,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    CHECK ((group_id IS NULL) <> (project_id IS NULL))
);
CREATE UNIQUE INDEX routes_group_id ON routes (group_id) WHERE group_id IS NOT NULL;
CREATE UNIQUE INDEX routes_project_id ON routes (project_id) WHERE project_id IS NOT NULL;
