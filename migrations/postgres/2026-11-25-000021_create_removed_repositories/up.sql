-- Repositories of projects that are gone: their folders go after the commit, however the project went.
CREATE TABLE removed_repositories (
    project_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (project_id, created_at)
);

CREATE FUNCTION projects_leave_repository() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removed_repositories (project_id, created_at) VALUES (OLD.id, OLD.created_at);
    RETURN OLD;
END;
$$;
CREATE TRIGGER projects_leave_repositories AFTER DELETE ON projects
    FOR EACH ROW EXECUTE FUNCTION projects_leave_repository();
