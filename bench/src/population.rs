//! Groups with Owners and tokens, straight into the tables: the same ones each time.

use std::fmt::Write as _;

use anyhow::ensure;
use chrono::NaiveDate;
use diesel::connection::SimpleConnection as _;
use latchkey::db::DbConnection;
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::database::Database;

/// What everything is drawn from.
const SEED: u64 = 17;

/// Rows of one statement.
const AT_ONCE: usize = 500;

/// Ids below belong to what was made with the program itself.
const FIRST_ID: i64 = 1_000_000;

/// When it all was made.
const NOW: &str = "'2026-01-01 10:00:00'";

/// What there is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    /// Top-level groups.
    pub(crate) groups: u32,
    /// Owners of each group, each of them a person of their own.
    pub(crate) owners: u32,
    /// Group access tokens in all, each with its bot.
    pub(crate) tokens: u32,
    /// The day at whose start they all end.
    pub(crate) expires_at: NaiveDate,
}

impl Population {
    /// Puts it into a migrated database.
    pub(crate) fn fill(&self, database: &Database) -> anyhow::Result<()> {
        ensure!(self.groups > 0, "tokens need a group");
        let conn = &mut database.connect()?;
        let bytes = match conn {
            DbConnection::Sqlite(_) => ("x'", "'"),
            DbConnection::Postgres(_) => ("'\\x", "'"),
        };
        conn.batch_execute("BEGIN")?;
        let people = self.groups * self.owners;
        let person = |number: u32| FIRST_ID + i64::from(number);
        let bot = |number: u32| FIRST_ID + i64::from(people + number);
        let group = |number: u32| FIRST_ID + i64::from(number);
        let namespace = |number: u32| FIRST_ID + i64::from(self.groups + number);

        insert(
            conn,
            "users (id, username, username_key, name, email, email_key, kind, state, confirmed_at, created_at, updated_at)",
            people,
            |row, number| {
                let (id, name) = (person(number), format!("owner{number}"));
                write!(
                    row,
                    "{id}, '{name}', '{name}', 'Owner {number}', '{name}@example.com', '{name}@example.com', 'human', 'active', {NOW}, {NOW}, {NOW}"
                )
            },
        )?;
        insert(
            conn,
            "groups (id, kind, name, path, full_path, full_name, traversal, root_id, owner_id, visibility, created_at, updated_at)",
            people,
            |row, number| {
                let (id, owner, name) =
                    (namespace(number), person(number), format!("owner{number}"));
                write!(
                    row,
                    "{id}, 'user', '{name}', '{name}', '{name}', '{name}', '{id}/', {id}, {owner}, 'private', {NOW}, {NOW}"
                )
            },
        )?;
        insert(
            conn,
            "groups (id, kind, name, path, full_path, full_name, traversal, root_id, visibility, created_at, updated_at)",
            self.groups,
            |row, number| {
                let (id, name) = (group(number), format!("team{number}"));
                write!(
                    row,
                    "{id}, 'group', '{name}', '{name}', '{name}', '{name}', '{id}/', {id}, 'private', {NOW}, {NOW}"
                )
            },
        )?;
        insert(
            conn,
            "routes (path_key, group_id)",
            people,
            |row, number| write!(row, "'owner{number}', {}", namespace(number)),
        )?;
        insert(
            conn,
            "routes (path_key, group_id)",
            self.groups,
            |row, number| write!(row, "'team{number}', {}", group(number)),
        )?;
        insert(
            conn,
            "memberships (user_id, group_id, access_level, created_at)",
            people,
            |row, number| {
                write!(
                    row,
                    "{}, {}, 50, {NOW}",
                    person(number),
                    group(number / self.owners)
                )
            },
        )?;

        let mut random = StdRng::seed_from_u64(SEED);
        let homes: Vec<i64> = (0..self.tokens)
            .map(|_| group(random.random_range(0..self.groups)))
            .collect();
        let homes = |number: u32| homes.get(number as usize).copied().unwrap_or(FIRST_ID);
        insert(
            conn,
            "users (id, username, username_key, name, email, email_key, kind, state, bot_group_id, created_at, updated_at)",
            self.tokens,
            |row, number| {
                let (id, home) = (bot(number), homes(number));
                let name = format!("group_{home}_bot_{number}");
                write!(
                    row,
                    "{id}, '{name}', '{name}', 'deploy {number}', '{name}@noreply.example.com', '{name}@noreply.example.com', 'project_bot', 'active', {home}, {NOW}, {NOW}"
                )
            },
        )?;
        insert(
            conn,
            "memberships (user_id, group_id, access_level, bot, created_at)",
            self.tokens,
            |row, number| write!(row, "{}, {}, 30, TRUE, {NOW}", bot(number), homes(number)),
        )?;
        let (open, close) = bytes;
        insert(
            conn,
            "access_tokens (user_id, group_id, root_id, name, description, scopes, digest, hint, expires_at, created_at, updated_at)",
            self.tokens,
            |row, number| {
                let home = homes(number);
                let mut digest = [0; 32];
                random.fill_bytes(&mut digest);
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                write!(
                    row,
                    "{}, {home}, {home}, 'deploy {number}', 'Deploys service {number} every night', 'read_api read_repository', {open}{digest}{close}, 'abcd', '{}', {NOW}, {NOW}",
                    bot(number),
                    self.expires_at
                )
            },
        )?;
        conn.batch_execute("COMMIT")?;
        if matches!(conn, DbConnection::Postgres(_)) {
            for table in ["users", "groups"] {
                conn.batch_execute(&format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                ))?;
            }
        }
        conn.batch_execute("ANALYZE")?;
        Ok(())
    }
}

/// So many rows, some hundred with each statement.
fn insert(
    conn: &mut DbConnection,
    into: &str,
    count: u32,
    mut write: impl FnMut(&mut String, u32) -> std::fmt::Result,
) -> anyhow::Result<()> {
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(AT_ONCE) {
        let mut statement = format!("INSERT INTO {into} VALUES ");
        for (at, number) in some.iter().enumerate() {
            statement.push_str(if at == 0 { "(" } else { ", (" });
            write(&mut statement, *number)?;
            statement.push(')');
        }
        conn.batch_execute(&statement)?;
    }
    Ok(())
}
