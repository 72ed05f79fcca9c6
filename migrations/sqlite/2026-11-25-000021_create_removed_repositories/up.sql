-- Repositories of projects that are gone: their folders go after the commit, however the project went.
CREATE TABLE removed_repositories (
    project_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (project_id, created_at)
);

CREATE TRIGGER projects_leave_repositories AFTER DELETE ON projects
BEGIN
    INSERT INTO removed_repositories (project_id, created_at) VALUES (OLD.id, OLD.created_at);
END;
