//! Tokens that nobody uses: on the pages, once a week by mail, and taken away.

mod hints;
mod listing;
mod revoking;

use chrono::TimeDelta;

use crate::support::{TestGroup, TestResource, TestServer, TestToken};

/// A token made so many days ago and last used so many days ago, to the second.
fn token(
    server: &TestServer,
    place: &impl TestResource,
    name: &str,
    made: i64,
    used: Option<i64>,
) -> TestToken {
    let made_token = place.token(name).create();
    age(server, &made_token, made, used);
    made_token
}

fn age(server: &TestServer, token: &TestToken, made: i64, used: Option<i64>) {
    let at = |days: i64| {
        let at = server.now() - TimeDelta::days(days);
        at.format("%Y-%m-%d %H:%M:%S").to_string()
    };
    server.sql(&format!(
        "UPDATE access_tokens SET created_at = '{}' WHERE id = {}",
        at(made),
        token.id
    ));
    server.sql(&format!(
        "DELETE FROM access_token_uses WHERE token_id = {}",
        token.id
    ));
    if let Some(days) = used {
        server.sql(&format!(
            "INSERT INTO access_token_uses (token_id, last_used_at, ips) VALUES ({}, '{}', '')",
            token.id,
            at(days)
        ));
    }
}

/// One of each kind, by days since it was made and used.
fn kinds(server: &TestServer, group: &TestGroup) {
    for (name, made, used) in [
        ("new", 0, None),
        ("young", 29, None),
        ("month", 30, None),
        ("older", 89, None),
        ("quarter", 90, None),
        ("used today", 400, Some(0)),
        ("used lately", 400, Some(29)),
        ("used a month ago", 400, Some(30)),
        ("used long ago", 400, Some(89)),
        ("used a quarter ago", 400, Some(90)),
    ] {
        token(server, group, name, made, used);
    }
}
