//! Many tokens at once, put straight into the tables: what must not cost more when there are more of them.

use crate::support::{TestGroup, TestServer};

/// Adds so many active tokens to a group, each with its bot, its membership and its last use.
pub fn add_tokens(server: &TestServer, group: &TestGroup, count: usize) {
    let batch = server.next();
    let mark = format!("crowd{batch}x");
    let id = group.id;
    let root = format!("(SELECT root_id FROM groups WHERE groups.id = {id})");
    let (digest, now) = if server.is_on_postgres() {
        (
            "decode(md5(username) || md5(username || '2'), 'hex')",
            "TIMESTAMP '2026-11-19 10:00:00'",
        )
    } else {
        ("randomblob(32)", "'2026-11-19 10:00:00'")
    };
    let day = if server.is_on_postgres() {
        "DATE '2027-06-30'"
    } else {
        "'2027-06-30'"
    };
    for statement in [
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO users (username, username_key, name, email, email_key, kind, state, bot_group_id, created_at, updated_at)
             SELECT '{mark}' || i, '{mark}' || i, 'deploy ' || i, '{mark}' || i || '@x.example', '{mark}' || i || '@x.example',
                    'project_bot', 'active', {id}, {now}, {now} FROM n"
        ),
        format!(
            "INSERT INTO memberships (user_id, group_id, access_level, bot, created_at)
             SELECT id, {id}, 30, TRUE, {now} FROM users WHERE username LIKE '{mark}%'"
        ),
        format!(
            "INSERT INTO access_tokens (user_id, group_id, root_id, name, description, scopes, digest, hint, expires_at, created_at, updated_at)
             SELECT id, {id}, {root}, name, 'deploys the ' || username || ' to production every night', 'api read_repository write_repository',
                    {digest}, 'abcd', {day}, {now}, {now} FROM users WHERE username LIKE '{mark}%'"
        ),
        format!(
            "INSERT INTO access_token_uses (token_id, last_used_at, ips)
             SELECT t.id, {now}, '10.1.4.7 10.1.4.8 10.1.4.9' FROM access_tokens t JOIN users u ON u.id = t.user_id
             WHERE u.username LIKE '{mark}%'"
        ),
    ] {
        server.sql(&statement);
    }
    server.sql("ANALYZE");
}
