DROP TABLE routes;
DROP TABLE projects;
DROP TABLE groups;
