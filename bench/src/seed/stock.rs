//! Tokens that are there to be revoked, each of them once.

use std::sync::atomic::{AtomicUsize, Ordering};

use latchkey::db::DatabaseUrl;

use super::{
    key,
    layout::{MEASURED, SUBGROUPS, Seeded},
    postgres::Postgres,
    rows,
    sqlite::Sqlite,
};
use crate::database::Database;

/// Tokens, handed out one after the other.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    tokens: Vec<Seeded>,
    next: AtomicUsize,
}

impl Stock {
    /// Adds so many to a database, in the subgroups where tokens are made.
    pub(crate) fn new(database: &Database, count: i64) -> anyhow::Result<Stock> {
        let last = database.number(
            "SELECT CASE WHEN u.id > t.id THEN u.id ELSE t.id END AS number
             FROM (SELECT max(id) AS id FROM users) u, (SELECT max(id) AS id FROM access_tokens) t",
        )?;
        let members = database.number("SELECT max(id) AS number FROM memberships")?;
        let first = last.max(members) + 1;
        let tokens: Vec<Seeded> = (first..first + count)
            .map(|id| Seeded {
                id,
                group: MEASURED + 1 + id % SUBGROUPS,
                root: MEASURED,
            })
            .collect();
        match database.url() {
            DatabaseUrl::Sqlite(path) => rows::add(&mut Sqlite::beside(path)?, &tokens, &key())?,
            url @ DatabaseUrl::Postgres(_) => {
                let mut store = Postgres::beside(url)?;
                rows::add(&mut store, &tokens, &key())?;
                store.count_on()?;
            }
        }
        Ok(Stock {
            tokens,
            next: AtomicUsize::new(0),
        })
    }

    /// The next one; nothing when all are gone.
    pub(crate) fn take(&self) -> Option<Seeded> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        self.tokens.get(at).copied()
    }
}
