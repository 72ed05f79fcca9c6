//! What has become of the company's tokens so far: fresh, soon to expire, long unused, expired, revoked, rotated.

use std::net::IpAddr;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};

use super::people::acting;
use super::{OWNER, ago, day};
use crate::access_tokens::Resource;
use crate::access_tokens::create::{NewAccessToken, create, create_personal};
use crate::access_tokens::days::{self, Counts};
use crate::access_tokens::grace::{self, Grace};
use crate::access_tokens::revoke::revoke;
use crate::access_tokens::rotate::{NewExpiry, Rotation, rotate};
use crate::access_tokens::scope::Scope::{self, *};
use crate::access_tokens::uses::{self, Uses};
use crate::app::App;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::jobs::run::context;
use crate::members::AccessLevel::{self, *};
use crate::{groups, projects};

/// A token and what has happened to it.
struct Story {
    /// The group or project, or nothing for somebody's own.
    at: Option<&'static str>,
    by: &'static str,
    name: &'static str,
    description: &'static str,
    role: AccessLevel,
    scopes: &'static [Scope],
    /// Days ago.
    made: i64,
    /// Days from now.
    ends: i64,
    used: Used,
    then: Then,
}

/// When it was last used, and from where.
enum Used {
    Never,
    MinutesAgo(i64, &'static [[u8; 4]]),
    /// The last time that it was this hour and minute, at least so many days ago.
    At(i64, u32, u32, &'static [[u8; 4]]),
}

/// What happened after it was made.
enum Then {
    Nothing,
    /// So many days ago.
    Revoked(i64),
    /// So many days ago; the new one ends so many days from now, and was used so many minutes ago.
    Rotated(i64, i64, i64),
}

/// In the order in which they were made.
const STORIES: [Story; 20] = [
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "terraform state",
        description: "Locks and unlocks the state of all environments",
        role: Maintainer,
        scopes: &[Api],
        made: 311,
        ends: 47,
        used: Used::At(203, 16, 52, &[[10, 20, 4, 17]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform"),
        by: OWNER,
        name: "schema migrations",
        description: "Runs migrations before each deployment",
        role: Maintainer,
        scopes: &[Api, WriteRepository],
        made: 240,
        ends: 118,
        used: Used::At(1, 14, 8, &[[10, 20, 4, 31]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "old build server",
        description: "The machine under the desk, retired",
        role: Developer,
        scopes: &[ReadRepository, WriteRepository],
        made: 178,
        ends: 180,
        used: Used::At(22, 18, 31, &[[10, 20, 1, 5]]),
        then: Then::Revoked(20),
    },
    Story {
        at: Some("acme/mobile"),
        by: OWNER,
        name: "store upload",
        description: "Puts signed builds into both stores",
        role: Developer,
        scopes: &[ReadRepository, ReadRegistry],
        made: 160,
        ends: 61,
        used: Used::At(4, 10, 19, &[[10, 20, 7, 2]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform/payments"),
        by: OWNER,
        name: "checkout end-to-end",
        description: "Buys one of everything, every night",
        role: Developer,
        scopes: &[Api],
        made: 133,
        ends: 5,
        used: Used::At(0, 3, 26, &[[10, 20, 9, 40]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "metrics dashboard",
        description: "Counts merge requests for the wall",
        role: Reporter,
        scopes: &[ReadApi],
        made: 121,
        ends: 244,
        used: Used::Never,
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform/api"),
        by: "bob",
        name: "coverage reports",
        description: "Uploads what the tests have covered",
        role: Reporter,
        scopes: &[ReadApi],
        made: 120,
        ends: -30,
        used: Used::At(33, 2, 15, &[[10, 20, 4, 22]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "container mirror",
        description: "Copies images to the second site",
        role: Developer,
        scopes: &[ReadRegistry, WriteRegistry],
        made: 104,
        ends: 8,
        used: Used::At(37, 4, 40, &[[10, 30, 0, 12]]),
        then: Then::Rotated(37, 75, 173),
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "nightly backup",
        description: "Clones every repository at two in the morning",
        role: Reporter,
        scopes: &[ReadRepository],
        made: 86,
        ends: 6,
        used: Used::At(0, 2, 7, &[[10, 30, 0, 2], [10, 30, 0, 3]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform/payments/ledger"),
        by: OWNER,
        name: "quarter close",
        description: "Exports the books for the auditors",
        role: Reporter,
        scopes: &[ReadApi, ReadRepository],
        made: 80,
        ends: 12,
        used: Used::At(50, 9, 3, &[[10, 20, 11, 8]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform/payments"),
        by: OWNER,
        name: "fraud export",
        description: "For the data team",
        role: Reporter,
        scopes: &[ReadApi],
        made: 64,
        ends: 120,
        used: Used::At(44, 17, 44, &[[10, 20, 3, 77]]),
        then: Then::Revoked(43),
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "load test",
        description: "Two weeks before the sale",
        role: Developer,
        scopes: &[Api],
        made: 41,
        ends: -11,
        used: Used::At(
            12,
            22,
            58,
            &[[10, 20, 8, 1], [10, 20, 8, 2], [10, 20, 8, 3]],
        ),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform/api"),
        by: "bob",
        name: "release notes",
        description: "Reads merge requests, writes the release notes",
        role: Developer,
        scopes: &[Api],
        made: 40,
        ends: 50,
        used: Used::At(8, 9, 30, &[[10, 20, 4, 25]]),
        then: Then::Rotated(7, 83, 640),
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "release notes",
        description: "Collects merged changes every Friday",
        role: Reporter,
        scopes: &[ReadApi],
        made: 29,
        ends: 2,
        used: Used::At(2, 8, 15, &[[10, 20, 4, 18]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("tools"),
        by: "dave",
        name: "style guide publisher",
        description: "Pushes the built pages",
        role: Developer,
        scopes: &[WriteRepository],
        made: 21,
        ends: 70,
        used: Used::At(1, 13, 37, &[[10, 20, 5, 9]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform"),
        by: OWNER,
        name: "cluster inventory",
        description: "Lists what runs where",
        role: Guest,
        scopes: &[ReadApi],
        made: 15,
        ends: 76,
        used: Used::MinutesAgo(40, &[[10, 20, 2, 2]]),
        then: Then::Nothing,
    },
    Story {
        at: None,
        by: "alice",
        name: "laptop",
        description: "Scripts of my own",
        role: Guest,
        scopes: &[Api],
        made: 12,
        ends: 78,
        used: Used::At(1, 20, 12, &[[10, 40, 0, 21]]),
        then: Then::Nothing,
    },
    Story {
        at: None,
        by: "bob",
        name: "editor",
        description: "",
        role: Guest,
        scopes: &[ReadApi, ReadUser],
        made: 9,
        ends: 21,
        used: Used::MinutesAgo(131, &[[10, 40, 0, 35]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme/platform/api"),
        by: "bob",
        name: "dependency updates",
        description: "Opens a branch for each new version",
        role: Developer,
        scopes: &[ReadApi, WriteRepository],
        made: 6,
        ends: 24,
        used: Used::MinutesAgo(47, &[[10, 20, 4, 25], [10, 20, 4, 26]]),
        then: Then::Nothing,
    },
    Story {
        at: Some("acme"),
        by: OWNER,
        name: "deploy pipeline",
        description: "Deploys main to production",
        role: Maintainer,
        scopes: &[Api, WriteRepository],
        made: 2,
        ends: 28,
        used: Used::MinutesAgo(11, &[[10, 20, 4, 40]]),
        then: Then::Nothing,
    },
];

/// Lets it all happen, each at its time and in the right order.
pub(super) fn unfold(conn: &mut DbConnection, app: &App, now: DateTime<Utc>) -> Result<(), Error> {
    let mut later: Vec<(i64, i64, &Story)> = Vec::new();
    for story in &STORIES {
        happen_before(conn, app, now, &mut later, story.made)?;
        let id = make(conn, app, now, story)?;
        write_use(conn, app, id, &story.used, story.made, now)?;
        if let Then::Revoked(days) | Then::Rotated(days, ..) = story.then {
            later.push((days, id, story));
        }
    }
    happen_before(conn, app, now, &mut later, -1)
}

/// What was to happen more than so many days ago, the earliest first.
fn happen_before(
    conn: &mut DbConnection,
    app: &App,
    now: DateTime<Utc>,
    later: &mut Vec<(i64, i64, &Story)>,
    days: i64,
) -> Result<(), Error> {
    later.sort_by_key(|(ago, ..)| -ago);
    while let Some(&(when, id, story)) = later.first().filter(|(when, ..)| *when > days) {
        later.remove(0);
        let Some(path) = story.at else {
            continue;
        };
        let ctx = acting(conn, app, story.by, ago(now, when, 15, 5))?;
        let resource = place(conn, path)?;
        match story.then {
            Then::Nothing => {}
            Then::Revoked(_) => {
                revoke(conn, &ctx, &resource, id, false)?;
            }
            Then::Rotated(_, ends, used) => {
                let rotation = Rotation {
                    expiry: NewExpiry::On(day(now, ends)),
                    grace: Grace::seconds(grace::LONGEST).unwrap_or_default(),
                };
                let new = rotate(conn, &ctx, &resource, id, rotation)?;
                let (Used::MinutesAgo(_, addresses) | Used::At(.., addresses)) = story.used else {
                    continue;
                };
                write_use(
                    conn,
                    app,
                    new.listed.token.id,
                    &Used::MinutesAgo(used, addresses),
                    when,
                    now,
                )?;
            }
        }
    }
    Ok(())
}

/// The group or project at this path.
fn place(conn: &mut DbConnection, path: &str) -> Result<Resource, Error> {
    if let Some(group) = groups::store::find_by_path(conn, path)? {
        return Ok(Resource::Group(group));
    }
    let project = projects::store::find_by_path(conn, path)?;
    project
        .map(Resource::Project)
        .ok_or(Error::NotFound(What::Project))
}

fn make(
    conn: &mut DbConnection,
    app: &App,
    now: DateTime<Utc>,
    story: &Story,
) -> Result<i64, Error> {
    let ctx = acting(conn, app, story.by, ago(now, story.made, 11, 40))?;
    let new = NewAccessToken {
        name: story.name.into(),
        description: Some(story.description.into()),
        scopes: story.scopes.to_vec(),
        access_level: story.role,
        expires_at: Some(day(now, story.ends)),
    };
    let resource = match story.at {
        Some(path) => Some(place(conn, path)?),
        None => None,
    };
    let created = match (&resource, &ctx.actor.user) {
        (Some(resource), _) => create(conn, &ctx, resource, &new)??,
        (None, Some(person)) => create_personal(conn, &ctx, person, &new)?,
        (None, None) => return Err(Error::internal(anyhow::anyhow!("nobody acts"))),
    };
    Ok(created.listed.token.id)
}

fn write_use(
    conn: &mut DbConnection,
    app: &App,
    token_id: i64,
    used: &Used,
    made: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (last, addresses) = match *used {
        Used::Never => return Ok(()),
        Used::MinutesAgo(minutes, addresses) => (now - TimeDelta::minutes(minutes), addresses),
        Used::At(days, hour, minute, addresses) => {
            let at = ago(now, days, hour, minute);
            let late = now - TimeDelta::days(days) < at;
            (ago(now, days + i64::from(late), hour, minute), addresses)
        }
    };
    let uses = Uses::default();
    // An hour apart, so that each is far enough from the one before to be written.
    for (hours, address) in (0..).zip(addresses).collect::<Vec<_>>().into_iter().rev() {
        uses.note(
            token_id,
            Some(IpAddr::from(*address)),
            last - TimeDelta::hours(hours),
        );
    }
    let ctx = context(conn, app, now)?;
    uses::write(conn, &ctx, &uses.take())?;
    days::write(conn, &requests(token_id, last, made, now))
}

/// So many requests on each of the last days on which it was there: more on working days, never the same.
fn requests(token_id: i64, last: DateTime<Utc>, made: i64, now: DateTime<Utc>) -> Counts {
    let born = (now - TimeDelta::days(made)).date_naive();
    let first = days::first_kept(now.date_naive()).max(born);
    let counted = |day: NaiveDate| {
        let busy = 20 + (i64::from(day.ordinal()) * 37 + token_id * 61) % 90;
        let weekend = day.weekday().number_from_monday() > 5;
        if weekend { busy / 6 } else { busy }
    };
    first
        .iter_days()
        .take_while(|day| *day <= last.date_naive())
        .map(|day| ((token_id, day), counted(day)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stories_are_told_in_order_and_make_sense() {
        assert!(STORIES.is_sorted_by_key(|story| -story.made));
        for story in &STORIES {
            let name = story.name;
            assert!(story.made + story.ends <= 365, "{name} lives too long");
            let (earliest, latest, addresses) = match story.used {
                Used::Never => continue,
                Used::MinutesAgo(_, addresses) => (1, 0, addresses),
                Used::At(days, _, _, addresses) => (days + 1, days, addresses),
            };
            assert!(earliest < story.made, "{name} was used before it was made");
            assert!(
                story.ends > 0 || latest > -story.ends,
                "{name} was used after it expired"
            );
            assert!(!addresses.is_empty(), "{name} was used from nowhere");
            match story.then {
                Then::Nothing => {}
                Then::Revoked(days) => assert!(days < story.made && days < latest, "{name}"),
                Then::Rotated(days, ends, _) => {
                    assert!(
                        days < story.made && days <= latest && ends + days <= 365,
                        "{name}"
                    )
                }
            }
        }
    }
}
