//! The first use of a token, and the first from an address, in the audit trail.
//!
//! Nobody can flood it: each address of a token is written once, and of one day's new addresses only the first few;
//! further ones are counted on the last of these.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, Utc};
use serde_json::json;

use super::create::described;
use super::store::{find_all, resources_of};
use super::{ListedToken, Resource};
use crate::actor::{Actor, Channel, Credential, Declared, Origin};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::Memberships;
use crate::users::{self, User};

/// New addresses of one token that are written in a day.
const IN_A_DAY: usize = 10;

/// Tokens that are looked up at a time.
const AT_ONCE: usize = 500;

/// A use that may be news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting {
    pub token_id: i64,
    pub at: DateTime<Utc>,
    /// Was it never used before?
    pub first: bool,
    /// The addresses known before, with single spaces between them.
    pub known: String,
    /// From where, without those.
    pub new: Vec<IpAddr>,
}

/// Writes down what is news of these.
pub(super) fn note(
    conn: &mut DbConnection,
    ctx: &Context,
    sightings: &[Sighting],
) -> Result<(), Error> {
    for some in sightings.chunks(AT_ONCE) {
        let ids: Vec<i64> = some.iter().map(|one| one.token_id).collect();
        let tokens = find_all(conn, &ids)?;
        let resources = resources_of(conn, tokens.iter().map(|listed| &listed.token))?;
        let ids: Vec<i64> = tokens.iter().map(|listed| listed.user.id).collect();
        let users = users::store::find_all(conn, &ids)?;
        for sighting in some {
            let listed = tokens
                .iter()
                .find(|listed| listed.token.id == sighting.token_id);
            // A token that is gone has nothing to tell.
            if let Some(listed) = listed {
                let seen = Seen {
                    listed,
                    user: users.get(&listed.user.id),
                    resource: resources.get(&listed.token.id),
                };
                tell(conn, ctx, sighting, &seen)?;
            }
        }
    }
    Ok(())
}

/// A token that was used, whom it acts as, and where it belongs.
struct Seen<'a> {
    listed: &'a ListedToken,
    user: Option<&'a User>,
    resource: Option<&'a Resource>,
}

fn tell(
    conn: &mut DbConnection,
    ctx: &Context,
    sighting: &Sighting,
    seen: &Seen<'_>,
) -> Result<(), Error> {
    let listed = seen.listed;
    let token = &listed.token;
    let line = |what: &str, details| {
        let event = Event::new(
            format!("{}_access_token_{what}", token.kind()),
            Target::Token(token.id, &token.name),
        )
        .with(details);
        match seen.resource {
            Some(resource) => event.in_group(resource.group()),
            None => event,
        }
    };
    let described = || described(token, &listed.user.username, listed.access_level);
    let mut new = sighting.new.iter();
    if sighting.first {
        let using = using(ctx, seen.user, new.next().copied(), sighting.at);
        audit::record(conn, &using, line("first_used", described()))?;
    }
    let midnight = sighting.at.date_naive().and_time(NaiveTime::MIN).and_utc();
    for ip in new {
        let before = audit::store::sightings(conn, token.id, "_access_token_used_from_new_ip")?;
        if before
            .iter()
            .any(|(_, _, address)| *address == ip.to_string())
        {
            continue;
        }
        let today: Vec<i64> = before
            .into_iter()
            .filter(|(_, at, _)| *at >= midnight)
            .map(|(id, ..)| id)
            .collect();
        match today.last() {
            Some(last) if today.len() >= IN_A_DAY => audit::record::count_again(conn, *last)?,
            _ => {
                let mut details = described();
                let known: Vec<&str> = sighting.known.split_whitespace().collect();
                details["known"] = json!(known);
                let using = using(ctx, seen.user, Some(*ip), sighting.at);
                audit::record(conn, &using, line("used_from_new_ip", details))?;
            }
        }
    }
    Ok(())
}

/// Whoever the token acts as did it, there and then.
fn using(ctx: &Context, user: Option<&User>, ip: Option<IpAddr>, at: DateTime<Utc>) -> Context {
    Context {
        now: at,
        actor: Arc::new(Actor {
            user: user.cloned(),
            credential: Credential::None,
            memberships: Memberships::default(),
            origin: Origin {
                channel: Channel::Api,
                ip,
                user_agent: String::new(),
                request_id: String::new(),
            },
            declared: Declared::Only(&[]),
        }),
        ..ctx.clone()
    }
}
