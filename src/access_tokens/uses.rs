//! When tokens were last used, and from where: gathered in memory, written in batches after the answers.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::days::Days;
use super::sightings::{self, Sighting};
use crate::context::Context;
use crate::db::schema::access_token_uses;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// A token's last use is written at most this often.
const BETWEEN_WRITES: TimeDelta = TimeDelta::minutes(10);

/// An address that isn't known yet is written at most this often.
const BETWEEN_ADDRESSES: TimeDelta = TimeDelta::minutes(1);

/// Addresses kept for a token.
const ADDRESSES: usize = 5;

/// Tokens remembered by this node; beyond that it forgets, and the database decides.
const REMEMBERED: usize = 100_000;

/// The uses that this node has seen and not written yet.
#[derive(Debug, Default)]
pub struct Uses {
    inner: Mutex<Inner>,
    /// How many requests there were on which day.
    pub days: Days,
}

#[derive(Debug, Default)]
struct Inner {
    /// When each token was last handed to the database, and with which addresses.
    noted: HashMap<i64, (DateTime<Utc>, Vec<IpAddr>)>,
    pending: BTreeMap<i64, Use>,
}

/// One use to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    at: DateTime<Utc>,
    ips: Vec<IpAddr>,
}

impl Uses {
    /// Notes a successful use. Cheap: most uses of a busy token are only counted.
    pub fn note(&self, token_id: i64, ip: Option<IpAddr>, now: DateTime<Utc>) {
        self.days.count(token_id, now.date_naive());
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.noted.len() > REMEMBERED {
            inner.noted.clear();
        }
        let (last, ips) = inner
            .noted
            .entry(token_id)
            .or_insert((DateTime::<Utc>::MIN_UTC, Vec::new()));
        let due = now - *last >= BETWEEN_WRITES;
        let new_address =
            ip.is_some_and(|ip| !ips.contains(&ip)) && (due || now - *last >= BETWEEN_ADDRESSES);
        if !due && !new_address {
            return;
        }
        *last = now;
        if let Some(ip) = ip
            && !ips.contains(&ip)
        {
            ips.insert(0, ip);
            ips.truncate(ADDRESSES);
        }
        let entry = inner.pending.entry(token_id).or_insert(Use {
            at: now,
            ips: Vec::new(),
        });
        entry.at = now;
        if let Some(ip) = ip
            && !entry.ips.contains(&ip)
        {
            entry.ips.push(ip);
        }
    }

    /// Takes what has gathered, by id: nodes that write the same tokens then don't lock each other out.
    pub fn take(&self) -> BTreeMap<i64, Use> {
        std::mem::take(
            &mut self
                .inner
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pending,
        )
    }

    /// Puts back what could not be written.
    pub fn put_back(&self, uses: BTreeMap<i64, Use>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, unwritten) in uses {
            inner.pending.entry(id).or_insert(unwritten);
        }
    }
}

/// Writes gathered uses. A date never goes back, whatever order the nodes write in.
///
/// # Errors
/// When the database is away; the uses are not written then.
pub fn write(
    conn: &mut DbConnection,
    ctx: &Context,
    uses: &BTreeMap<i64, Use>,
) -> Result<(), Error> {
    let mut news = Vec::new();
    for (token_id, latest) in uses {
        let stored: Option<(Timestamp, String)> = access_token_uses::table
            .find(token_id)
            .select((access_token_uses::last_used_at, access_token_uses::ips))
            .get_result(conn)
            .optional()?;
        match stored {
            Some((at, ips)) => {
                let before: DateTime<Utc> = at.into();
                let due = latest.at - before >= BETWEEN_WRITES;
                news.extend(Some(sighting(*token_id, latest, false, &ips)));
                let ips = merged(&ips, &latest.ips);
                let row = access_token_uses::table.find(token_id);
                if due {
                    diesel::update(row)
                        .set((
                            access_token_uses::last_used_at.eq(Timestamp::from(latest.at)),
                            access_token_uses::ips.eq(ips),
                        ))
                        .execute(conn)?;
                } else {
                    diesel::update(row)
                        .set(access_token_uses::ips.eq(ips))
                        .execute(conn)?;
                }
            }
            None => {
                let first = insert(conn, *token_id, latest)?;
                news.extend(first.then(|| sighting(*token_id, latest, true, "")));
            }
        }
    }
    news.retain(|one| one.first || !one.new.is_empty());
    sightings::note(conn, ctx, &news)
}

fn sighting(token_id: i64, latest: &Use, first: bool, stored: &str) -> Sighting {
    let known: Vec<&str> = stored.split_whitespace().collect();
    Sighting {
        token_id,
        at: latest.at,
        first,
        new: latest
            .ips
            .iter()
            .copied()
            .filter(|ip| !known.contains(&ip.to_string().as_str()))
            .collect(),
        known: stored.to_owned(),
    }
}

/// The token may have been deleted meanwhile; that is nobody's error. `false` if this was not the first use after all.
fn insert(conn: &mut DbConnection, token_id: i64, first: &Use) -> Result<bool, Error> {
    use crate::db::schema::access_tokens;
    let exists: bool = diesel::select(diesel::dsl::exists(
        access_tokens::table.filter(access_tokens::id.eq(token_id)),
    ))
    .get_result(conn)?;
    if !exists {
        return Ok(false);
    }
    let outcome = conn.transaction(|conn| {
        diesel::insert_into(access_token_uses::table)
            .values((
                access_token_uses::token_id.eq(token_id),
                access_token_uses::last_used_at.eq(Timestamp::from(first.at)),
                access_token_uses::ips.eq(merged("", &first.ips)),
            ))
            .execute(conn)
    });
    match outcome {
        // Another node was quicker, or the token is gone: what matters is there or matters no more.
        Err(diesel::result::Error::DatabaseError(
            diesel::result::DatabaseErrorKind::UniqueViolation
            | diesel::result::DatabaseErrorKind::ForeignKeyViolation,
            _,
        )) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// New addresses before the known ones, each once, five at the most.
fn merged(stored: &str, new: &[IpAddr]) -> String {
    let mut all: Vec<String> = stored.split_whitespace().map(str::to_owned).collect();
    for ip in new {
        let ip = ip.to_string();
        if !all.contains(&ip) {
            all.insert(0, ip);
        }
    }
    all.truncate(ADDRESSES);
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
    }

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn a_busy_token_is_written_once_in_ten_minutes() {
        let uses = Uses::default();
        uses.note(1, ip(1), at(0));
        assert_eq!(uses.take().len(), 1);
        for minute in 1..10 {
            uses.note(1, ip(1), at(minute));
        }
        assert!(uses.take().is_empty());
        uses.note(1, ip(1), at(10));
        assert_eq!(uses.take().get(&1).unwrap().at, at(10));
    }

    #[test]
    fn a_new_address_is_written_after_a_minute_already() {
        let uses = Uses::default();
        uses.note(1, ip(1), at(0));
        uses.take();
        uses.note(1, ip(2), at(0));
        assert!(uses.take().is_empty());
        uses.note(1, ip(2), at(1));
        assert_eq!(uses.take().get(&1).unwrap().ips, vec![ip(2).unwrap()]);
    }

    #[test]
    fn the_newest_five_addresses_are_kept() {
        let new: Vec<IpAddr> = (1..=4).filter_map(ip).collect();
        assert_eq!(
            merged("10.0.0.9 10.0.0.8 10.0.0.1", &new),
            "10.0.0.4 10.0.0.3 10.0.0.2 10.0.0.9 10.0.0.8"
        );
    }
}
