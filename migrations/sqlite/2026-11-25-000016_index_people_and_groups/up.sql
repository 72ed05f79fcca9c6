-- The lists of the admin area: people by what they are, and groups of all kinds.
CREATE INDEX users_kind_state ON users (kind, state, id);
CREATE INDEX users_admin ON users (kind, id) WHERE admin;
CREATE INDEX users_external ON users (kind, id) WHERE external;
CREATE INDEX groups_kind_id ON groups (kind, id);
