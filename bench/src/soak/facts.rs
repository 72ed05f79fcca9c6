//! What the database says after a load, and whether any of it is only half there.

use std::collections::{BTreeMap, HashMap};

use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use latchkey::db::DbConnection;
use serde_json::Value;

use crate::database::Database;

/// Where the ids were before a load: what it has made is above.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    tokens: i64,
    users: i64,
    events: i64,
}

impl Before {
    /// As it is now.
    pub(crate) fn of(database: &Database) -> anyhow::Result<Before> {
        let last = |table: &str| {
            database.number(&format!(
                "SELECT COALESCE(max(id), 0) AS number FROM {table}"
            ))
        };
        Ok(Before {
            tokens: last("access_tokens")?,
            users: last("users")?,
            events: last("audit_events")?,
        })
    }
}

/// A token's row.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Token {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) user_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) group_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) previous_token_id: Option<i64>,
    #[diesel(sql_type = Bool)]
    pub(super) revoked: bool,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
}

/// A bot's row.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Bot {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) bot_group_id: Option<i64>,
    #[diesel(sql_type = Bool)]
    pub(super) gone: bool,
}

/// A membership's row.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Membership {
    #[diesel(sql_type = BigInt)]
    pub(super) user_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) group_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub(super) level: i64,
    #[diesel(sql_type = Bool)]
    pub(super) bot: bool,
}

/// A line of the audit trail.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Event {
    #[diesel(sql_type = Text)]
    pub(super) event: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) target_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) group_id: Option<i64>,
    #[diesel(sql_type = Text)]
    pub(super) details: String,
}

impl Event {
    /// Something of what it says besides.
    pub(super) fn detail(&self, name: &str) -> Value {
        let details: Value = serde_json::from_str(&self.details).unwrap_or_default();
        details.get(name).cloned().unwrap_or_default()
    }
}

/// What became of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    Active,
    /// Revoked, or its bot is gone.
    Ended,
    Absent,
}

/// All that was made since.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(super) tokens: BTreeMap<i64, Token>,
    pub(super) bots: BTreeMap<i64, Bot>,
    pub(super) memberships: HashMap<i64, Vec<Membership>>,
    /// By event and target, in the order of time.
    pub(super) events: HashMap<(String, i64), Vec<Event>>,
    successors: HashMap<i64, Vec<i64>>,
    pub(super) by_bot: HashMap<i64, Vec<i64>>,
}

/// What the audit trail calls the changes of a token.
pub(super) const CREATED: &str = "group_access_token_created";
pub(super) const ROTATED: &str = "group_access_token_rotated";
pub(super) const DELETED: &str = "group_access_token_deleted";

impl Facts {
    /// All at one moment: bots that are gone are deleted meanwhile.
    pub(crate) fn read(database: &Database, before: Before) -> anyhow::Result<Facts> {
        let conn = &mut database.connect()?;
        conn.batch_execute(match conn {
            DbConnection::Sqlite(_) => "BEGIN",
            DbConnection::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        })?;
        macro_rules! rows {
            ($query:expr) => {
                match conn {
                    DbConnection::Sqlite(conn) => sql_query($query).load(conn)?,
                    DbConnection::Postgres(conn) => sql_query($query).load(conn)?,
                }
            };
        }
        let Before {
            tokens,
            users,
            events,
        } = before;
        let tokens = rows!(format!(
            "SELECT id, user_id, group_id, previous_token_id, revoked, name FROM access_tokens WHERE id > {tokens}"
        ));
        let bots = rows!(format!(
            "SELECT id, bot_group_id, bot_gone_at IS NOT NULL AS gone FROM users
             WHERE id > {users} AND kind = 'project_bot'"
        ));
        let memberships = rows!(format!(
            "SELECT user_id, group_id, CAST(access_level AS BIGINT) AS level, bot FROM memberships
             WHERE user_id > {users} OR NOT bot"
        ));
        let events = rows!(format!(
            "SELECT event, target_id, group_id, details FROM audit_events WHERE id > {events} ORDER BY id"
        ));
        conn.batch_execute("COMMIT")?;
        Ok(Facts::new(tokens, bots, memberships, events))
    }

    pub(super) fn new(
        tokens: Vec<Token>,
        bots: Vec<Bot>,
        memberships: Vec<Membership>,
        events: Vec<Event>,
    ) -> Facts {
        let mut facts = Facts::default();
        for token in tokens {
            if let Some(previous) = token.previous_token_id {
                facts.successors.entry(previous).or_default().push(token.id);
            }
            facts
                .by_bot
                .entry(token.user_id)
                .or_default()
                .push(token.id);
            facts.tokens.insert(token.id, token);
        }
        facts.bots = bots.into_iter().map(|bot| (bot.id, bot)).collect();
        for membership in memberships {
            let of_user = facts.memberships.entry(membership.user_id).or_default();
            of_user.push(membership);
        }
        for event in events {
            let key = (event.event.clone(), event.target_id.unwrap_or_default());
            facts.events.entry(key).or_default().push(event);
        }
        facts
    }

    /// What became of this token.
    pub(crate) fn row(&self, id: i64) -> Row {
        match self.tokens.get(&id) {
            None => Row::Absent,
            Some(token) if token.revoked || self.is_gone(token.user_id) => Row::Ended,
            Some(_) => Row::Active,
        }
    }

    /// The tokens that this one was rotated into: there is to be one at the most.
    pub(crate) fn successors(&self, id: i64) -> &[i64] {
        self.successors.get(&id).map_or(&[], Vec::as_slice)
    }

    /// How often the trail says this of a token or user.
    pub(crate) fn events(&self, id: i64, event: &str) -> usize {
        self.all(event, id).len()
    }

    /// Tokens of this name that were made, not rotated into.
    pub(crate) fn first_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = i64> + 'a {
        let first = self
            .tokens
            .values()
            .filter(move |token| token.name == name && token.previous_token_id.is_none());
        first.map(|token| token.id)
    }

    /// Somebody's role in a group.
    pub(crate) fn level(&self, person: i64, group: i64) -> Option<i64> {
        let all = self.memberships.get(&person)?;
        let here = all.iter().find(|one| one.group_id == Some(group))?;
        Some(here.level)
    }

    /// What the trail says of that: from which role to which.
    pub(crate) fn changes_of_level(&self, person: i64, group: i64) -> Vec<(i64, i64)> {
        let all = self.all("member_level_changed", person).iter();
        all.filter(|event| event.group_id == Some(group))
            .map(|event| {
                let levels = event.detail("access_level");
                let at = |at: usize| levels.get(at).and_then(Value::as_i64).unwrap_or_default();
                (at(0), at(1))
            })
            .collect()
    }

    fn is_gone(&self, bot: i64) -> bool {
        self.bots.get(&bot).is_none_or(|bot| bot.gone)
    }

    fn all(&self, event: &str, id: i64) -> &[Event] {
        self.events
            .get(&(event.to_owned(), id))
            .map_or(&[], Vec::as_slice)
    }
}
