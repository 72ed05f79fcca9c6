//! People, places and tokens come from a file, and the values that people have go on working.

use latchkey::access_tokens::secret::fingerprint;
use latchkey::error::Error;
use latchkey::exchange::{self, Report};
use serde_json::{Value, json};

use crate::support::{TestServer, server::SECRET};

mod digests;
mod documents;
mod rules;

/// SHA-256 of value and salt, as GitLab keeps it.
fn salted(value: &str, salt: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(
        latchkey::access_tokens::imported::Salt::parse(salt)
            .unwrap()
            .hash(value),
    )
}

const SALT: &str = "the salt of the old instance, 32";

/// A file with these lists.
fn file(lists: Value) -> Value {
    let mut file = json!({
        "format": "latchkey-import",
        "version": 1,
        "prefixes": ["old_"],
        "digests": { "kind": "sha256", "salt": SALT },
    });
    for (key, list) in lists.as_object().unwrap() {
        file[key] = list.clone();
    }
    file
}

/// A person, a group of theirs, a bot with a token of this value, and a token of the person's own.
fn acme(value: &str) -> Value {
    file(json!({
        "users": [{ "username": "ann", "name": "Ann", "email": "ann@example.com" }],
        "groups": [{ "path": "acme", "name": "Acme" }],
        "projects": [{ "path": "acme/api", "name": "Api" }],
        "memberships": [{ "user": "ann", "group": "acme", "access_level": 50 }],
        "bots": [{ "username": "group_1_bot_0a1b", "name": "ci", "group": "acme", "access_level": 40 }],
        "tokens": [
            { "user": "group_1_bot_0a1b", "name": "ci", "scopes": ["api"], "digest": salted(value, SALT), "expires_at": "2027-01-01" },
            { "user": "ann", "name": "laptop", "scopes": ["read_user", "read_api"], "digest": salted("old_of_ann_herself_0000", SALT) },
        ],
    }))
}

fn import_text(server: &TestServer, text: String) -> Result<Report, Error> {
    let fingerprint = fingerprint(SECRET);
    exchange::check(text.as_bytes(), &fingerprint, server.now())?;
    let root = latchkey::actor::Actor::system(latchkey::actor::Origin::console());
    server.attempt_as(root, move |conn, ctx| {
        exchange::import(conn, ctx, &fingerprint, text.as_bytes(), &mut |_| ())
    })
}

fn import(server: &TestServer, file: &Value) -> Result<Report, Error> {
    import_text(server, file.to_string())
}

/// What a file that can't be imported is told; nothing is made.
#[track_caller]
fn refused(server: &TestServer, file: &Value) -> String {
    let before = server.inventory();
    let refusal = import(server, file).expect_err("it is refused");
    assert_eq!(server.inventory(), before);
    assert!(matches!(refusal, Error::Refused(_)), "{refusal:?}");
    refusal.to_string()
}

fn created(report: &Report) -> [u64; 6] {
    report.lists().map(|(_, counts)| counts.created)
}

fn existing(report: &Report) -> [u64; 6] {
    report.lists().map(|(_, counts)| counts.existing)
}
