//! The tokens below a top-level group in the database.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::not;
use diesel::prelude::*;

use super::{Cursor, Found};
use crate::access_tokens::narrowing::{coalesce_text, narrowed};
use crate::access_tokens::old_values::OldValues;
use crate::access_tokens::query::{Query, State};
use crate::access_tokens::store::{listed, listed_tokens, older, unused_since};
use crate::access_tokens::{AccessToken, ListedToken, TokenType};
use crate::db::schema::{access_token_uses, access_tokens, groups, memberships, projects, users};
use crate::db::{
    Backend, COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Timestamp, Total, lower,
};
use crate::error::Error;
use crate::groups::store::like_pattern;
use crate::members::Membership;
use crate::users::User;

use aliases::namespaces;

/// Another name for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::groups;
    diesel::alias!(groups as namespaces: Namespaces);
}

/// A way through the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'a> {
    /// Below this top-level group.
    pub root_id: i64,
    pub query: &'a Query,
    pub now: DateTime<Utc>,
    /// Where it begins; not with this one itself.
    pub from: Option<Cursor>,
    /// Against the order of the list?
    pub backwards: bool,
    /// Are all tokens of the list counted, as far as anybody is told?
    pub counted: bool,
}

/// A token, where it belongs, and how many there are.
type Row = (
    AccessToken,
    User,
    Option<Membership>,
    Option<(Timestamp, String)>,
    Option<Timestamp>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
);

/// What lists share, with the paths of groups and projects.
macro_rules! with_paths {
    () => {
        listed_tokens!()
            .left_join(groups::table.on(groups::id.nullable().eq(access_tokens::group_id)))
            .left_join(projects::table.on(projects::id.nullable().eq(access_tokens::project_id)))
            .left_join(
                namespaces.on(namespaces
                    .field(groups::id)
                    .nullable()
                    .eq(projects::group_id.nullable())),
            )
    };
}

/// The columns of that join, and one more.
macro_rules! columns {
    ($now:expr, $more:expr) => {
        (
            AccessToken::as_select(),
            User::as_select(),
            Option::<Membership>::as_select(),
            (access_token_uses::last_used_at, access_token_uses::ips).nullable(),
            older.field(access_tokens::grace_until).nullable(),
            OldValues::at($now),
            groups::full_path.nullable(),
            namespaces.field(groups::full_path).nullable(),
            projects::path.nullable(),
            $more,
        )
    };
}

fn found(row: Row) -> Found {
    let (token, user, membership, usage, grace, values, group, namespace, project, _) = row;
    Found {
        listed: ListedToken {
            old_values: OldValues::ids(values.as_deref()),
            ..listed((token, user, membership, usage, grace))
        },
        full_path: match (group, namespace, project) {
            (Some(path), ..) => path,
            (None, Some(namespace), Some(project)) => format!("{namespace}/{project}"),
            _ => String::new(),
        },
    }
}

/// Tokens below a top-level group by their ids.
pub(super) fn by_ids(
    conn: &mut DbConnection,
    root_id: i64,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<Vec<Found>, Error> {
    let nothing = access_tokens::table
        .filter(access_tokens::id.lt(0))
        .select(access_tokens::id)
        .at_most(0);
    let rows: Vec<Row> = with_paths!()
        .filter(access_tokens::root_id.eq(root_id))
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .order(access_tokens::id.asc())
        .select(columns!(now, Counted(nothing)))
        .load(conn)?;
    Ok(rows.into_iter().map(found).collect())
}

/// The next tokens of a walk.
pub(super) fn walk(
    conn: &mut DbConnection,
    walk: &Walk<'_>,
    at_most: i64,
) -> Result<(Vec<Found>, Option<Total>), Error> {
    let mut rows = Vec::new();
    for piece in pieces(walk) {
        let missing = at_most - i64::try_from(rows.len()).unwrap_or(at_most);
        if missing > 0 {
            rows.extend(load(conn, walk, piece, missing)?);
        }
    }
    let total = rows
        .first()
        .filter(|_| walk.counted)
        .map(|(.., all)| Total::from_bounded_count(*all));
    Ok((rows.into_iter().map(found).collect(), total))
}

/// What an index has in order: no index has those without an end behind the others, in both databases.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// Active ones with an end, behind this place.
    Dated(Option<(NaiveDate, i64)>),
    /// Active ones without one.
    Undated(Option<i64>),
    /// Of whatever end, by their ids.
    Numbered(Option<i64>),
}

impl Walk<'_> {
    fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// Largest first?
    fn descends(&self) -> bool {
        let list = match self.query.state {
            Some(State::Active) => self.query.descending,
            _ => true,
        };
        list != self.backwards
    }

    /// Does the index alone tell which tokens are meant? Active ones, of one kind perhaps; whose bot is gone isn't active.
    fn is_plain(&self) -> bool {
        let query = self.query;
        query.state == Some(State::Active)
            && query.search.is_none()
            && query.access_level.is_none()
            && query.scope.is_none()
            && query.unused_since.is_none()
            && query.expires_before.is_none()
    }
}

/// The pieces of the list that a walk goes through, in its order.
fn pieces(walk: &Walk<'_>) -> Vec<Piece> {
    if walk.query.state != Some(State::Active) {
        return vec![Piece::Numbered(match walk.from {
            Some(Cursor::Numbered(id)) => Some(id),
            _ => None,
        })];
    }
    let some = match (walk.from, walk.descends()) {
        // Where everything up to that day has ended meanwhile, the list begins at its beginning.
        (Some(Cursor::Dated(date, id)), false) if date > walk.today() => {
            vec![Piece::Dated(Some((date, id))), Piece::Undated(None)]
        }
        (Some(Cursor::Undated(id)), false) => vec![Piece::Undated(Some(id))],
        (_, false) => vec![Piece::Dated(None), Piece::Undated(None)],
        (Some(Cursor::Undated(id)), true) => {
            vec![Piece::Undated(Some(id)), Piece::Dated(None)]
        }
        (Some(Cursor::Dated(date, id)), true) => vec![Piece::Dated(Some((date, id)))],
        (_, true) => vec![Piece::Undated(None), Piece::Dated(None)],
    };
    some.into_iter()
        .filter(|piece| walk.query.expires_before.is_none() || !matches!(piece, Piece::Undated(_)))
        .collect()
}

/// Has its day come?
macro_rules! passed {
    ($today:expr) => {
        access_tokens::expires_at
            .is_not_null()
            .and(access_tokens::expires_at.assume_not_null().le($today))
    };
}

/// Was it rotated away, and does it still work?
macro_rules! in_grace {
    ($now:expr) => {
        access_tokens::grace_until.is_not_null().and(
            access_tokens::grace_until
                .assume_not_null()
                .gt(Timestamp::from($now)),
        )
    };
}

/// Kind, for a query of tokens.
macro_rules! of_kind {
    ($rows:expr, $walk:expr) => {
        match $walk.query.token_type {
            Some(TokenType::Group) => $rows.filter(access_tokens::group_id.is_not_null()),
            Some(TokenType::Project) => $rows.filter(access_tokens::project_id.is_not_null()),
            _ => $rows,
        }
    };
}

/// State and kind, for a query of tokens below the group.
macro_rules! of_list {
    ($rows:expr, $walk:expr) => {{
        let walk: &Walk<'_> = $walk;
        let mut rows = $rows.filter(access_tokens::root_id.eq(walk.root_id));
        rows = match walk.query.state {
            // In the words of the index, or it would not be used.
            Some(State::Active) => rows
                .filter(not(access_tokens::revoked))
                .filter(not(passed!(walk.today()))),
            Some(State::Inactive) => rows.filter(
                access_tokens::revoked
                    .and(not(in_grace!(walk.now)))
                    .or(passed!(walk.today())),
            ),
            // Told with its successor.
            None => rows.filter(not(in_grace!(walk.now))),
        };
        of_kind!(rows, walk)
    }};
}

fn load(
    conn: &mut DbConnection,
    walk: &Walk<'_>,
    piece: Piece,
    at_most: i64,
) -> Result<Vec<Row>, Error> {
    let descends = walk.descends();
    let mut rows = with_paths!().into_boxed::<Backend>();
    rows = match piece {
        // Only what the index is entered by; that they are active say the bounds below.
        Piece::Dated(_) | Piece::Undated(_) => {
            rows = rows
                .filter(access_tokens::root_id.eq(walk.root_id))
                .filter(not(access_tokens::revoked));
            of_kind!(rows, walk)
        }
        Piece::Numbered(_) => of_list!(rows, walk),
    };
    let (date, id) = (access_tokens::expires_at, access_tokens::id);
    rows = match (piece, descends) {
        (Piece::Dated(None), _) => rows.filter(date.gt(walk.today())),
        // One bound on each side, or an index serves the wrong one.
        (Piece::Dated(Some((day, last))), false) => rows
            .filter(date.ge(day))
            .filter(date.gt(day).or(id.nullable().gt(last))),
        (Piece::Dated(Some((day, last))), true) => rows
            .filter(date.gt(walk.today()))
            .filter(date.le(day))
            .filter(date.lt(day).or(id.nullable().lt(last))),
        (Piece::Undated(None), _) => rows.filter(date.is_null()),
        (Piece::Undated(Some(last)), false) => rows.filter(date.is_null()).filter(id.gt(last)),
        (Piece::Undated(Some(last)), true) => rows.filter(date.is_null()).filter(id.lt(last)),
        (Piece::Numbered(None), _) => rows,
        (Piece::Numbered(Some(last)), false) => rows.filter(id.gt(last)),
        (Piece::Numbered(Some(last)), true) => rows.filter(id.lt(last)),
    };
    rows = narrowed!(rows, walk.query);
    rows = match (piece, descends) {
        (Piece::Numbered(_), false) => rows.order(id.asc()),
        (Piece::Numbered(_), true) => rows.order(id.desc()),
        (_, false) => rows.order((date.asc(), id.asc())),
        (_, true) => rows.order((date.desc(), id.desc())),
    };
    let countable = if walk.counted { COUNTED_AT_MOST + 1 } else { 0 };
    if walk.is_plain() {
        let all = of_list!(access_tokens::table.into_boxed::<Backend>(), walk);
        let all = Counted(all.select(access_tokens::id).at_most(countable));
        return Ok(rows
            .select(columns!(walk.now, all))
            .at_most(at_most)
            .load(conn)?);
    }
    let all = of_list!(listed_tokens!().into_boxed::<Backend>(), walk);
    let all = narrowed!(all, walk.query);
    let all = Counted(all.select(access_tokens::id).at_most(countable));
    Ok(rows
        .select(columns!(walk.now, all))
        .at_most(at_most)
        .load(conn)?)
}
