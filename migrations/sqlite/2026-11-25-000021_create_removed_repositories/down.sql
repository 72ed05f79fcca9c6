DROP TRIGGER projects_leave_repositories;
DROP TABLE removed_repositories;
