//! The days on which tokens end, as a calendar that programs subscribe to: those of one group, or all that matter to one
//! person.

pub mod ics;
mod store;

use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::store::{GroupRef, find_visible};
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::users::calendar_feed::reader::Reader;

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

/// The calendar of the active tokens of a reader: their own, and those of the groups that they own by a membership, of the
/// groups below and of the projects there. Administrators get no list of everything. Three queries at most, but for people
/// who own hundreds of groups that don't lie in one another.
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
        endings = store::of_user(conn, user.id, ctx.today(), MOST)?;
        let owned = super::looked_after::uppermost(reader.owned(conn)?);
        for some in owned.chunks(AT_ONCE) {
            endings.extend(store::below(conn, some, ctx.today(), MOST)?);
        }
        endings.sort_by_key(|ending| (ending.token.expires_at, ending.token.id));
        endings.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
    }
    let name = format!("Access tokens of {}", user.name);
    Ok(Calendar::new(name, &ctx.instance, endings))
}
