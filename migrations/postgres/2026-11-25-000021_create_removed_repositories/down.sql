DROP TRIGGER projects_leave_repositories ON projects;
DROP FUNCTION projects_leave_repository();
DROP TABLE removed_repositories;
