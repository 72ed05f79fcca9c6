DROP INDEX groups_kind_id;
DROP INDEX users_external;
DROP INDEX users_admin;
DROP INDEX users_kind_state;
