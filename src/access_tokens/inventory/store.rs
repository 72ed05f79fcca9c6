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
    Backend, COUNTED_AT_MOST, Counted, CountedBeside, DbConnection, InTurn, Limits as _, Timestamp,
    Total, lower,
};
use crate::error::Error;
use crate::groups::store::like_pattern;
use crate::members::Role;
use crate::users::Identity;

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

/// A token, and where it belongs.
type Row = (
    AccessToken,
    Identity,
    Option<Role>,
    Option<(Timestamp, String)>,
    Option<Timestamp>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
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

/// The columns of that join.
macro_rules! columns {
    ($now:expr) => {
        (
            AccessToken::as_select(),
            Identity::as_select(),
            Option::<Role>::as_select(),
            (access_token_uses::last_used_at, access_token_uses::ips).nullable(),
            older.field(access_tokens::grace_until).nullable(),
            OldValues::at($now),
            groups::full_path.nullable(),
            namespaces.field(groups::full_path).nullable(),
            projects::path.nullable(),
        )
    };
}

fn found(row: Row) -> Found {
    let (token, user, role, usage, grace, values, group, namespace, project) = row;
    Found {
        listed: ListedToken {
            old_values: OldValues::ids(values.as_deref()),
            ..listed((token, user, role, usage, grace))
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
    let rows: Vec<Row> = with_paths!()
        .filter(access_tokens::root_id.eq(root_id))
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .order(access_tokens::id.asc())
        .select(columns!(now))
        .load(conn)?;
    Ok(rows.into_iter().map(found).collect())
}

/// What an index has in order: no index has those without an end behind the others in both databases, and SQLite's finds a
/// place by day and id only if the day is given.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// Active ones that end on this day, behind this id.
    Day(NaiveDate, i64),
    /// Active ones with an end, behind this day.
    Days(Option<NaiveDate>),
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

    /// Puts them into the order of the walk.
    fn sort(&self, tokens: &mut [Found]) {
        let by_end = self.query.state == Some(State::Active);
        tokens.sort_by_key(|found| {
            let token = &found.listed.token;
            let end = by_end.then_some((token.expires_at.is_none(), token.expires_at));
            (end, token.id)
        });
        if self.descends() {
            tokens.reverse();
        }
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
        // Where everything up to that day has ended meanwhile, the list begins at its beginning, and has nothing before that.
        (Some(Cursor::Dated(date, id)), false) if date > walk.today() => vec![
            Piece::Day(date, id),
            Piece::Days(Some(date)),
            Piece::Undated(None),
        ],
        (Some(Cursor::Dated(date, id)), true) if date > walk.today() => {
            vec![Piece::Day(date, id), Piece::Days(Some(date))]
        }
        (Some(Cursor::Dated(..)), true) => Vec::new(),
        (Some(Cursor::Undated(id)), false) => vec![Piece::Undated(Some(id))],
        (_, false) => vec![Piece::Days(None), Piece::Undated(None)],
        (Some(Cursor::Undated(id)), true) => {
            vec![Piece::Undated(Some(id)), Piece::Days(None)]
        }
        (_, true) => vec![Piece::Undated(None), Piece::Days(None)],
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

/// The tokens of a piece.
macro_rules! of_piece {
    ($walk:expr, $piece:expr, $at_most:expr) => {{
        let (walk, piece, descends): (&Walk<'_>, Piece, bool) = ($walk, $piece, $walk.descends());
        let mut rows = with_paths!().into_boxed::<Backend>();
        rows = match piece {
            Piece::Numbered(_) => of_list!(rows, walk),
            // Only what the index is entered by; that they are active say the bounds below.
            _ => {
                rows = rows
                    .filter(access_tokens::root_id.eq(walk.root_id))
                    .filter(not(access_tokens::revoked));
                of_kind!(rows, walk)
            }
        };
        let (date, id) = (access_tokens::expires_at, access_tokens::id);
        rows = match (piece, descends) {
            (Piece::Day(day, last), false) => rows.filter(date.eq(day)).filter(id.gt(last)),
            (Piece::Day(day, last), true) => rows.filter(date.eq(day)).filter(id.lt(last)),
            (Piece::Days(None), _) => rows.filter(date.gt(walk.today())),
            (Piece::Days(Some(day)), false) => rows.filter(date.gt(day)),
            (Piece::Days(Some(day)), true) => {
                rows.filter(date.gt(walk.today())).filter(date.lt(day))
            }
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
        rows.select(columns!(walk.now)).at_most($at_most)
    }};
}

/// The next tokens of a walk.
pub(super) fn walk(
    conn: &mut DbConnection,
    walk: &Walk<'_>,
    at_most: i64,
) -> Result<(Vec<Found>, Option<Total>), Error> {
    let pieces = pieces(walk).into_iter();
    let queries: Vec<_> = pieces
        .map(|piece| of_piece!(walk, piece, at_most))
        .collect();
    if queries.is_empty() {
        return Ok((Vec::new(), None));
    }
    let rows = InTurn { queries, at_most };
    let countable = if walk.counted { COUNTED_AT_MOST + 1 } else { 0 };
    let found_rows: Vec<(i64, Row)> = if walk.is_plain() {
        let of_root = || {
            let rows = access_tokens::table.into_boxed::<Backend>();
            let rows = rows.filter(access_tokens::root_id.eq(walk.root_id));
            of_kind!(rows.filter(not(access_tokens::revoked)), walk).select(access_tokens::id)
        };
        let queries = vec![
            of_root().filter(access_tokens::expires_at.gt(walk.today())),
            of_root().filter(access_tokens::expires_at.is_null()),
        ];
        let at_most = countable;
        let count = Counted(InTurn { queries, at_most });
        CountedBeside { count, rows }.load(conn)?
    } else {
        let all = of_list!(listed_tokens!().into_boxed::<Backend>(), walk);
        let all = narrowed!(all, walk.query);
        let count = Counted(all.select(access_tokens::id).at_most(countable));
        CountedBeside { count, rows }.load(conn)?
    };
    let total = found_rows
        .first()
        .filter(|_| walk.counted)
        .map(|(all, _)| Total::from_bounded_count(*all));
    let mut tokens: Vec<Found> = found_rows.into_iter().map(|(_, row)| found(row)).collect();
    walk.sort(&mut tokens);
    Ok((tokens, total))
}
