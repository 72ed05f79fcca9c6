-- What the server does by itself. One row for each job, made when a node first hears of it.
CREATE TABLE jobs (
    name TEXT NOT NULL PRIMARY KEY,
    -- The scheduled moment up to which no run is missing.
    handled_until TIMESTAMP NOT NULL,
    -- A run stopped half-way or failed: when to go on.
    retry_at TIMESTAMP,
    -- An administrator asked for a run.
    requested BOOLEAN NOT NULL DEFAULT FALSE,
    -- Runs that failed since the last one that didn't.
    failures BIGINT NOT NULL DEFAULT 0,
    -- Of many nodes one runs a job: whoever holds the lease. Each batch renews it in its own transaction, so that
    -- a node that lost it changes nothing more.
    lease_holder TEXT,
    lease_until TIMESTAMP,
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
);

-- What came of it.
CREATE TABLE job_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    -- The lease under which it ran.
    holder TEXT NOT NULL,
    -- schedule, console or page: what made it run.
    cause TEXT NOT NULL CHECK (cause IN ('schedule', 'console', 'page')),
    -- The moment that it took for the present.
    as_of TIMESTAMP NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'done', 'paused', 'failed', 'abandoned')),
    -- How many of what, as JSON.
    counts TEXT NOT NULL DEFAULT '{}',
    error TEXT,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    CHECK ((outcome = 'running') = (finished_at IS NULL))
);
CREATE INDEX job_runs_job ON job_runs (job, id);
CREATE INDEX job_runs_started_at ON job_runs (started_at);

-- When the instance's longest lifetime was lowered, tokens beyond it end three hours later.
ALTER TABLE instance ADD COLUMN lifetime_enforcement_at TIMESTAMP;

-- The job that takes out memberships goes by their dates.
CREATE INDEX memberships_expires_at ON memberships (expires_at, id) WHERE expires_at IS NOT NULL;
