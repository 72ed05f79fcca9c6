//! Tokens that end, for calendars.

use chrono::NaiveDate;
use diesel::dsl::not;
use diesel::prelude::*;

use super::{Ending, Top};
use crate::access_tokens::AccessToken;
use crate::db::schema::{access_tokens, groups, memberships, projects, users};
use crate::db::{Backend, DbConnection, after_subtree, coalesce_id};
use crate::error::Error;
use crate::members::{AccessLevel, ids_of};

type Row = (AccessToken, Option<String>, Option<String>, Option<i32>);

/// Tokens with where they are and the role of their bot; a person has no role by a token. Those first that end first.
macro_rules! tokens {
    () => {
        access_tokens::table
            .inner_join(users::table.on(users::id.eq(access_tokens::user_id)))
            .left_join(projects::table.on(projects::id.nullable().eq(access_tokens::project_id)))
            .left_join(groups::table.on(groups::id.nullable().eq(coalesce_id(
                access_tokens::group_id,
                projects::group_id.nullable(),
            ))))
            .left_join(
                memberships::table.on(memberships::user_id.eq(access_tokens::user_id).and(
                    memberships::group_id
                        .eq(access_tokens::group_id)
                        .or(memberships::project_id.eq(access_tokens::project_id)),
                )),
            )
            .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
            .select((
                AccessToken::as_select(),
                groups::full_path.nullable(),
                projects::path.nullable(),
                memberships::access_level.nullable(),
            ))
    };
}

/// The active ones of them that end one day.
macro_rules! ending {
    ($tokens:expr, $today:expr, $limit:expr) => {
        $tokens
            .filter(users::bot_gone_at.is_null())
            .filter(not(access_tokens::revoked))
            .filter(access_tokens::expires_at.gt($today))
            .limit($limit)
    };
}

/// A group's own.
pub(super) fn of_group(
    conn: &mut DbConnection,
    group_id: i64,
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<Ending>, Error> {
    let tokens = tokens!().filter(access_tokens::group_id.eq(group_id));
    let rows: Vec<Row> = ending!(tokens, today, limit).load(conn)?;
    rows.into_iter().map(told).collect()
}

/// A person's own, and those of these projects.
pub(super) fn of_user(
    conn: &mut DbConnection,
    user_id: i64,
    project_ids: &[i64],
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<Ending>, Error> {
    let mut tokens = tokens!().into_boxed::<Backend>();
    tokens = tokens.filter(access_tokens::user_id.eq(user_id));
    if !project_ids.is_empty() {
        tokens = tokens.or_filter(access_tokens::project_id.eq_any(project_ids.to_vec()));
    }
    let rows: Vec<Row> = ending!(tokens, today, limit).load(conn)?;
    rows.into_iter().map(told).collect()
}

/// Those of these groups, of the groups below and of the projects there, or of the projects alone.
pub(super) fn below(
    conn: &mut DbConnection,
    tops: &[Top],
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<Ending>, Error> {
    // Found from the top-level groups; what lies there beside the groups that are asked for is left out then.
    let mut roots: Vec<i64> = tops
        .iter()
        .filter_map(|top| ids_of(&top.traversal).next())
        .collect();
    roots.sort_unstable();
    roots.dedup();
    let mut tokens = tokens!().into_boxed::<Backend>();
    // All of these before anything else that has to be true, too.
    for top in tops {
        let at = || groups::traversal.nullable();
        let end = after_subtree(&top.traversal);
        let below = at().ge(top.traversal.clone()).and(at().lt(end));
        tokens = if top.projects_only {
            tokens.or_filter(below.and(access_tokens::project_id.is_not_null()))
        } else {
            tokens.or_filter(below)
        };
    }
    let tokens = tokens.filter(access_tokens::root_id.eq_any(roots));
    let rows: Vec<Row> = ending!(tokens, today, limit).load(conn)?;
    rows.into_iter().map(told).collect()
}

fn told((token, group, project, level): Row) -> Result<Ending, Error> {
    let role = level
        .map(AccessLevel::try_from)
        .transpose()
        .map_err(|error| Error::internal(error.into()))?;
    let place = group.map(|group| match project {
        Some(project) => format!("{group}/{project}"),
        None => group,
    });
    Ok(Ending { token, place, role })
}
