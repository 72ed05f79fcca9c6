//! The days on which tokens end, as a calendar that programs subscribe to: those of one group, or all that matter to one
//! person.

pub mod ics;
mod store;

use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::store::{GroupRef, find_visible};
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::users::calendar_feed::reader::{Places, Reader};

use super::AccessToken;
use ics::Calendar;

/// Tokens of one calendar, those first that end first.
const MOST: i64 = 1_000;

/// Groups that one query looks below.
const AT_ONCE: usize = 200;

/// Where the calendar of a group's tokens is. Somebody signed in may read it there; a calendar program needs
/// `?feed_token=` behind it, which the person's page Notifications shows.
pub fn address_of_group(full_path: &str) -> String {
    format!("/groups/{full_path}/-/settings/access_tokens.ics")
}

/// A token that ends, with what is told of it.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    token: AccessToken,
    /// The full path of its group or project; nothing for a person's own.
    place: Option<String>,
    role: Option<AccessLevel>,
}

/// The calendar of a group's own active tokens. Two queries.
///
/// # Errors
/// [`Error::NotFound`] for a group whose tokens the reader may not see, as for one that isn't there.
pub fn of_group(
    conn: &mut DbConnection,
    reader: &Reader,
    full_path: &str,
) -> Result<Calendar, Error> {
    let ctx = &reader.ctx;
    let group = find_visible(conn, ctx, &GroupRef::Path(full_path.to_owned()))?;
    if !ctx.actor.may(Right::SeeTokens, &group.place(), &ctx.policy) {
        return Err(Error::NotFound(What::Group));
    }
    let endings = store::of_group(conn, group.id, ctx.today(), MOST)?;
    let name = format!("Access tokens of {}", group.full_path);
    Ok(Calendar::new(name, &ctx.instance, endings))
}

/// The calendar of the active tokens of a reader: their own, those of the groups that they own by a membership and of the
/// groups below, and those of the projects that they maintain there, by a membership or in their own namespace.
/// Administrators get no list of everything. Three queries at most, but for people who look after hundreds of groups that
/// don't lie in one another.
///
/// # Errors
/// [`Error::NotFound`] for who isn't a person.
pub fn of_person(conn: &mut DbConnection, reader: &Reader) -> Result<Calendar, Error> {
    let ctx = &reader.ctx;
    let user = reader
        .user()
        .filter(|_| ctx.actor.may_on_instance(Right::OwnPersonalTokens))
        .ok_or(Error::NotFound(What::Thing))?;
    let mut endings = Vec::new();
    // While tokens are off, none can be used.
    if !ctx.policy.settings.disable_personal_access_tokens {
        let places = reader.places(conn)?;
        endings = store::of_user(conn, user.id, &places.projects, ctx.today(), MOST)?;
        for some in tops(places).chunks(AT_ONCE) {
            endings.extend(store::below(conn, some, ctx.today(), MOST)?);
        }
        endings.sort_by_key(|ending| (ending.token.expires_at, ending.token.id));
        // A project can be reached from above and by itself.
        endings.dedup_by_key(|ending| ending.token.id);
        endings.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
    }
    let name = format!("Access tokens of {}", user.name);
    Ok(Calendar::new(name, &ctx.instance, endings))
}

/// A group, and what lies below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Top {
    traversal: String,
    /// Only the tokens of its projects?
    projects_only: bool,
}

/// Where a person's tokens are looked for; what lies below another one is left out.
fn tops(places: Places) -> Vec<Top> {
    let owned = uppermost(places.owned);
    let is_owned = |top: &String| owned.iter().any(|owned| top.starts_with(owned.as_str()));
    let maintained: Vec<String> = uppermost(places.maintained)
        .into_iter()
        .filter(|top| !is_owned(top))
        .collect();
    let all = owned.into_iter().map(|traversal| (traversal, false));
    all.chain(maintained.into_iter().map(|traversal| (traversal, true)))
        .map(|(traversal, projects_only)| Top {
            traversal,
            projects_only,
        })
        .collect()
}

/// Without those that lie below another one of them.
fn uppermost(mut places: Vec<String>) -> Vec<String> {
    // What lies below a group comes right after it: a slash sorts before every digit.
    places.sort_unstable();
    places.dedup_by(|next, above| next.starts_with(above.as_str()));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_groups_that_one_owns_all_is_told_and_of_others_the_projects() {
        let traversals = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        let found = tops(Places {
            owned: traversals(&["1/17/", "1/17/4/", "3/"]),
            maintained: traversals(&["1/", "1/17/", "1/17/4/", "3/", "9/"]),
            projects: Vec::new(),
        });
        let told: Vec<(&str, bool)> = found
            .iter()
            .map(|top| (top.traversal.as_str(), top.projects_only))
            .collect();
        assert_eq!(
            told,
            [("1/17/", false), ("3/", false), ("1/", true), ("9/", true)]
        );
    }

    #[test]
    fn what_lies_below_another_group_is_left_out() {
        let places =
            |traversals: &[&str]| uppermost(traversals.iter().map(|&t| t.to_owned()).collect());
        let found = places(&["1/17/", "1/", "10/", "1/170/3/", "2/"]);
        assert_eq!(found, ["1/", "10/", "2/"]);
        let found = places(&["1/17/", "1/170/", "1/17/4/"]);
        assert_eq!(found, ["1/17/", "1/170/"]);
        assert_eq!(places(&[]), [""; 0]);
    }
}
