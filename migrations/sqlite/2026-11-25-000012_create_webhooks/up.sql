-- Where a group's events are sent to. Its signing key is not kept: it is made of the instance secret and the salt.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    state TEXT NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
    -- Deliveries that failed for good since the last one that arrived.
    failures BIGINT NOT NULL DEFAULT 0,
    disabled_at TIMESTAMP,
    -- A sentence for its Owners.
    disabled_reason TEXT,
    created_by_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'disabled') = (disabled_at IS NOT NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);
CREATE UNIQUE INDEX webhooks_group_id_name ON webhooks (group_id, name);
CREATE INDEX webhooks_created_by_id ON webhooks (created_by_id);

-- What is to be sent, written in the transaction of what it speaks of, and what came of it.
CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id BIGINT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- Says what it speaks of, so that no hook is told twice; null for tests and for what is sent again on request.
    key TEXT,
    event TEXT NOT NULL CHECK (event IN ('expiring_access_token', 'test')),
    -- The same for all hooks that are told of one event.
    event_uuid TEXT NOT NULL,
    -- The same however often this hook is told of one event.
    message_id TEXT NOT NULL,
    -- JSON, as it is signed and sent. Never a secret.
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'delivered', 'failed')),
    attempts BIGINT NOT NULL DEFAULT 0,
    -- When to try, or, while it is being sent, to try again because whoever sent it went away.
    due_at TIMESTAMP NOT NULL,
    -- Of the last attempt.
    attempted_at TIMESTAMP,
    response_status BIGINT,
    response_body TEXT,
    duration_ms BIGINT,
    error TEXT,
    -- The one that somebody had sent again.
    redelivery_of BIGINT REFERENCES webhook_deliveries (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL,
    settled_at TIMESTAMP,
    CHECK ((state IN ('waiting', 'sending')) = (settled_at IS NULL))
);
CREATE UNIQUE INDEX webhook_deliveries_webhook_id_key ON webhook_deliveries (webhook_id, key);
CREATE INDEX webhook_deliveries_webhook_id ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_due_at ON webhook_deliveries (due_at, id) WHERE settled_at IS NULL;
CREATE INDEX webhook_deliveries_unsettled ON webhook_deliveries (webhook_id, due_at, id) WHERE settled_at IS NULL;
CREATE INDEX webhook_deliveries_settled_at ON webhook_deliveries (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX webhook_deliveries_redelivery_of ON webhook_deliveries (redelivery_of) WHERE redelivery_of IS NOT NULL;
