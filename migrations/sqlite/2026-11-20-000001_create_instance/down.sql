DROP TABLE feature_flags;
DROP TABLE settings;
DROP TABLE instance;
