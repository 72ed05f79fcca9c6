//! People who sign in, and the one who owns the groups that are measured.

use diesel::connection::SimpleConnection as _;
use latchkey::{access_tokens::secret::DigestKey, db::DbConnection};

use super::layout::{
    EXPIRES_AT, FIRST_PERSON, LADDER, LONG, MEASURED, OWNER_TOKEN, PAGE, PEOPLE, login, value,
};
use crate::program::Program;

/// What everybody types.
pub(crate) const PASSWORD: &str = "a horse that staples batteries";
/// Who owns the groups.
pub(crate) const OWNER: &str = "bench";

const MADE: &str = "'2026-01-01 10:00:00'";

/// Makes the owner as administrators do, in a database without anybody: the others get a copy of what was made of the
/// password.
pub(crate) fn settle(program: &Program) -> anyhow::Result<()> {
    let owner = ["--username", OWNER, "--email", "bench@example.com"];
    let mut create = vec!["user", "create", "--password-stdin"];
    create.extend(owner);
    program.run(&create, PASSWORD).map(drop)
}

/// The others, once the groups are there; the owner's memberships and token.
pub(crate) fn join(conn: &mut DbConnection, key: &DigestKey) -> anyhow::Result<()> {
    let (open, close) = match conn {
        DbConnection::Sqlite(_) => ("x'", "'"),
        DbConnection::Postgres(_) => ("'\\x", "'"),
    };
    let owner = format!("(SELECT id FROM users WHERE username_key = '{OWNER}')");
    let mut all = "BEGIN;\n".to_owned();
    for person in FIRST_PERSON..FIRST_PERSON + PEOPLE {
        let (name, home) = (login(person), person + 1000);
        all.push_str(&format!(
            "INSERT INTO users (id, username, username_key, name, email, email_key, kind, state, password_hash, confirmed_at,
                 created_at, updated_at)
             SELECT {person}, '{name}', '{name}', 'Person {person}', '{name}@example.com', '{name}@example.com', 'human',
                 'active', password_hash, {MADE}, {MADE}, {MADE} FROM users WHERE username_key = '{OWNER}';
             INSERT INTO groups (id, kind, name, path, full_path, full_name, traversal, root_id, owner_id, visibility,
                 created_at, updated_at)
             VALUES ({home}, 'user', '{name}', '{name}', '{name}', '{name}', '{home}/', {home}, {person}, 'private', {MADE},
                 {MADE});
             INSERT INTO routes (path_key, group_id) VALUES ('{name}', {home});\n"
        ));
    }
    for group in [MEASURED, PAGE, LONG, LADDER] {
        all.push_str(&format!(
            "INSERT INTO memberships (id, user_id, group_id, access_level, created_at)
             VALUES ({group}, {owner}, {group}, 50, {MADE});\n"
        ));
    }
    let value = value(OWNER_TOKEN);
    let digest: String = key
        .digest(value.expose())
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    all.push_str(&format!(
        "INSERT INTO access_tokens (id, user_id, name, scopes, digest, hint, expires_at, created_at, updated_at)
         VALUES ({OWNER_TOKEN}, {owner}, 'load', 'api', {open}{digest}{close}, '{}', '{EXPIRES_AT}', {MADE}, {MADE});
         INSERT INTO access_token_uses (token_id, last_used_at, ips) VALUES ({OWNER_TOKEN}, {MADE}, '127.0.0.1');
         COMMIT;",
        value.hint()
    ));
    Ok(conn.batch_execute(&all)?)
}
