//! Lists of tokens.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sqlite::Sqlite;

use super::decisions::{Refusal, TokenFacts, looks_after, may_find};
use super::narrowing::{coalesce_text, narrowed};
use super::old_values::OldValues;
pub use super::query::{Query, Sort, State};
use super::store::{
    far, find, find_all, find_of, inside, listed, listed_tokens, older, unused_since,
};
use super::{AccessToken, ListedToken, Resource, TokenType};
use crate::context::Context;
use crate::db::schema::{access_token_uses, access_tokens, groups, memberships, projects, users};
use crate::db::{
    COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Page, PageOrLast, PageRequest, Timestamp,
    Unseen, by_character, coalesce_date, coalesce_timestamp, lower,
};
use crate::error::{Denied, Error, What};
use crate::groups::relocation::below;
use crate::groups::store::like_pattern;
use crate::members::Role;
use crate::permissions::Right;
use crate::users::Identity;

/// Whose tokens.
#[derive(Debug, Clone, Copy)]
enum Holder {
    Group(i64),
    Project(i64),
    /// The personal ones of a person.
    Person(i64),
    /// All of a user, person or bot.
    User(i64),
    /// All of all.
    Everybody,
}

/// The tokens of this very group or project.
///
/// # Errors
/// [`Error::Unauthenticated`] when the actor may not see them.
pub fn of_resource(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    query: &Query,
    request: PageRequest,
) -> Result<Page<ListedToken>, Error> {
    if !ctx
        .actor
        .may(Right::SeeTokens, &resource.place(), &ctx.policy)
    {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    let holder = match resource {
        Resource::Group(group) => Holder::Group(group.id),
        Resource::Project(project) => Holder::Project(project.id),
    };
    list(conn, holder, query, request, ctx.now)
}

/// One token of this very group or project, whatever its state.
///
/// # Errors
/// [`Error::Unauthenticated`] when the actor may not see them, before the id is looked at.
pub fn one_of_resource(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
) -> Result<Option<ListedToken>, Error> {
    if !ctx
        .actor
        .may(Right::SeeTokens, &resource.place(), &ctx.policy)
    {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    find_of(conn, resource, id)
}

/// The token that made the request.
///
/// # Errors
/// [`Error::Refused`] when it was made by something else, such as a session.
pub fn own(conn: &mut DbConnection, ctx: &Context) -> Result<ListedToken, Error> {
    if !ctx.actor.may_on_instance(Right::OwnToken) {
        return Err(Error::refused(
            "This endpoint requires token type to be a personal access token",
        ));
    }
    let id = ctx.actor.token().map_or(0, |token| token.id);
    find(conn, id)?.ok_or(Error::Unauthenticated(Denied::Revoked))
}

/// A person's own personal tokens.
///
/// # Errors
/// [`Error::Forbidden`] when the actor is nobody who has any.
pub fn personal(
    conn: &mut DbConnection,
    ctx: &Context,
    query: &Query,
    request: PageRequest,
) -> Result<Page<ListedToken>, Error> {
    let id = ctx
        .actor
        .user_id()
        .filter(|_| ctx.actor.may_on_instance(Right::OwnPersonalTokens));
    list(
        conn,
        Holder::Person(id.ok_or_else(Error::forbidden)?),
        query,
        request,
        ctx.now,
    )
}

/// The tokens that act as one user: oneself, a bot included; for administrators anybody, or everybody.
///
/// # Errors
/// [`Error::Unauthenticated`] for somebody else's.
pub fn of_anybody(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: Option<i64>,
    query: &Query,
    request: PageRequest,
) -> Result<Page<ListedToken>, Error> {
    if !looks_after(ctx) {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    let own = ctx.actor.user_id();
    let holder = if ctx.actor.may_on_instance(Right::Administer) {
        user_id.map_or(Holder::Everybody, Holder::User)
    } else {
        let id = own.filter(|own| user_id.is_none_or(|asked| asked == *own));
        Holder::User(id.ok_or(Error::Unauthenticated(Denied::Unknown))?)
    };
    list(conn, holder, query, request, ctx.now)
}

/// A token by its id: one that acts as oneself; for administrators any.
///
/// # Errors
/// [`Error::Unauthenticated`] for somebody else's and for an id that isn't there; administrators are told
/// which, by [`Error::NotFound`].
pub fn by_id(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<ListedToken, Error> {
    let found = find(conn, id)?;
    let is_told = ctx.actor.may_on_instance(Right::Administer);
    match (may_find(ctx, found.as_ref().map(TokenFacts::from)), found) {
        (Ok(()), Some(listed)) => Ok(listed),
        (Err(Refusal::Unknown), None) if is_told => Err(Error::NotFound(What::Thing)),
        _ => Err(Error::Unauthenticated(Denied::Unknown)),
    }
}

/// Any user's personal tokens; for the console.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor administers the instance.
pub fn of_user(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    query: &Query,
    request: PageRequest,
) -> Result<Page<ListedToken>, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    list(conn, Holder::Person(user_id), query, request, ctx.now)
}

/// All tokens of the instance, or all that act as one user.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor administers the instance.
pub fn of_instance(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: Option<i64>,
    query: &Query,
    request: PageRequest,
) -> Result<Page<ListedToken>, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let holder = user_id.map_or(Holder::Everybody, Holder::User);
    list(conn, holder, query, request, ctx.now)
}

/// Tokens by their ids, whosever they are.
///
/// # Errors
/// As [`of_instance`].
pub fn by_ids(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
) -> Result<Vec<ListedToken>, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    find_all(conn, ids)
}

/// A [`ListedRow`](super::store::ListedRow) with the older values that still work, and the number of all rows.
type CountedRow = (
    AccessToken,
    Identity,
    Option<Role>,
    Option<(Timestamp, String)>,
    Option<Timestamp>,
    Option<String>,
    i64,
);

/// A word with fewer characters has to be the whole name.
const SHORT_WORD: usize = 3;

/// In the order of this key, and by their ids among equals.
macro_rules! by {
    ($rows:ident, $query:ident, $key:expr) => {
        match ($query.descending, $query.newest_among_equals) {
            (true, _) => $rows.order(($key.desc(), access_tokens::id.desc())),
            (false, true) => $rows.order(($key.asc(), access_tokens::id.desc())),
            (false, false) => $rows.order(($key.asc(), access_tokens::id.asc())),
        }
    };
}

fn list(
    conn: &mut DbConnection,
    holder: Holder,
    query: &Query,
    request: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<ListedToken>, Error> {
    let today = now.date_naive();
    // What the columns of tokens alone tell.
    macro_rules! own {
        ($rows:expr) => {{
            let mut rows = $rows;
            rows = match holder {
                Holder::Group(id) => rows.filter(access_tokens::group_id.eq(Unseen(id))),
                Holder::Project(id) => rows.filter(access_tokens::project_id.eq(Unseen(id))),
                Holder::Person(id) => rows
                    .filter(access_tokens::user_id.nullable().eq(Unseen(id)))
                    .filter(access_tokens::group_id.is_null())
                    .filter(access_tokens::project_id.is_null()),
                Holder::User(id) => rows.filter(access_tokens::user_id.nullable().eq(Unseen(id))),
                Holder::Everybody => rows,
            };
            let passed = || {
                access_tokens::expires_at
                    .is_not_null()
                    .and(access_tokens::expires_at.assume_not_null().le(today))
            };
            let in_grace = || {
                access_tokens::grace_until.is_not_null().and(
                    access_tokens::grace_until
                        .assume_not_null()
                        .gt(Timestamp::from(now)),
                )
            };
            rows = match query.state {
                Some(State::Active) if query.with_old_values => rows
                    .filter(diesel::dsl::not(access_tokens::revoked).or(in_grace()))
                    .filter(diesel::dsl::not(passed())),
                Some(State::Active) => rows
                    .filter(diesel::dsl::not(access_tokens::revoked))
                    .filter(diesel::dsl::not(passed())),
                Some(State::Inactive) => rows.filter(
                    access_tokens::revoked
                        .and(diesel::dsl::not(in_grace()))
                        .or(passed()),
                ),
                None if query.with_old_values => rows,
                None => rows.filter(diesel::dsl::not(in_grace())),
            };
            rows = match query.token_type {
                Some(TokenType::Group) => rows.filter(access_tokens::group_id.is_not_null()),
                Some(TokenType::Project) => rows.filter(access_tokens::project_id.is_not_null()),
                Some(TokenType::Personal) => rows
                    .filter(access_tokens::group_id.is_null())
                    .filter(access_tokens::project_id.is_null()),
                None => rows,
            };
            if let Some(traversal) = &query.within {
                let of_groups = || {
                    inside
                        .inner_join(
                            groups::table.on(groups::id
                                .nullable()
                                .eq(inside.field(access_tokens::group_id))),
                        )
                        .filter(below!(traversal))
                        .select(inside.field(access_tokens::id))
                };
                let of_projects = || {
                    inside
                        .inner_join(
                            projects::table.on(projects::id
                                .nullable()
                                .eq(inside.field(access_tokens::project_id))),
                        )
                        .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
                        .filter(below!(traversal))
                        .select(inside.field(access_tokens::id))
                };
                let id = access_tokens::id;
                rows = match query.token_type {
                    Some(TokenType::Group) => rows.filter(id.eq_any(of_groups())),
                    Some(TokenType::Project) => rows.filter(id.eq_any(of_projects())),
                    _ => rows.filter(id.eq_any(of_groups().union_all(of_projects()))),
                };
            }
            for word in &query.words {
                rows = if word.chars().count() < SHORT_WORD {
                    // PostgreSQL takes no NUL, and no name has one.
                    let word = word.to_lowercase().replace('\0', "%00");
                    rows.filter(lower(access_tokens::name).eq(word))
                } else {
                    rows.filter(
                        lower(access_tokens::name)
                            .like(like_pattern(word))
                            .escape('\\'),
                    )
                };
            }
            rows = match query.revoked {
                Some(true) => rows
                    .filter(access_tokens::revoked)
                    .filter(diesel::dsl::not(in_grace())),
                Some(false) => rows.filter(diesel::dsl::not(access_tokens::revoked).or(in_grace())),
                None => rows,
            };
            if let Some(at) = query.created_before {
                rows = rows.filter(access_tokens::created_at.le(Timestamp::from(at)));
            }
            if let Some(at) = query.created_after {
                rows = rows.filter(access_tokens::created_at.ge(Timestamp::from(at)));
            }
            if let Some(day) = query.expires_after {
                rows = rows
                    .filter(access_tokens::expires_at.is_not_null())
                    .filter(access_tokens::expires_at.assume_not_null().ge(day));
            }
            if let Some(id) = query.after_id {
                rows = rows.filter(access_tokens::id.gt(id));
            }
            rows
        }};
    }
    macro_rules! page_on {
        ($backend:ty, $conn:ident) => {{
            let base = || {
                let mut rows = own!(listed_tokens!().into_boxed::<$backend>());
                let used = || access_token_uses::last_used_at.nullable();
                if let Some(at) = query.last_used_before {
                    rows = rows
                        .filter(used().is_not_null())
                        .filter(used().assume_not_null().le(Timestamp::from(at)));
                }
                if let Some(at) = query.last_used_after {
                    rows = rows
                        .filter(used().is_not_null())
                        .filter(used().assume_not_null().ge(Timestamp::from(at)));
                }
                rows = narrowed!(rows, query);
                if query.members_only || query.living_members_on.is_some() {
                    rows = rows.filter(memberships::id.is_not_null());
                }
                if let Some(day) = query.living_members_on {
                    rows = rows.filter(
                        memberships::expires_at
                            .is_null()
                            .or(memberships::expires_at.assume_not_null().gt(day)),
                    );
                }
                rows
            };
            // Counted in the same statement, as far as anybody is told: a list is one query, however long it is.
            let all = || {
                base()
                    .select(access_tokens::id)
                    .at_most(COUNTED_AT_MOST + 1)
            };
            let counted = || -> Box<dyn QueryFragment<$backend> + Send> {
                if query.is_of_tokens_alone() {
                    let tokens = own!(access_tokens::table.into_boxed::<$backend>());
                    Box::new(
                        tokens
                            .select(access_tokens::id)
                            .at_most(COUNTED_AT_MOST + 1),
                    )
                } else {
                    Box::new(all())
                }
            };
            let ordered = base().select((
                AccessToken::as_select(),
                Identity::as_select(),
                Option::<Role>::as_select(),
                (access_token_uses::last_used_at, access_token_uses::ips).nullable(),
                older.field(access_tokens::grace_until).nullable(),
                OldValues::at(now),
                Counted(counted()),
            ));
            let never = Timestamp::from(DateTime::UNIX_EPOCH);
            let gathered = query.within.is_some() || query.expires_before.is_some();
            let ordered = match query.sort {
                // By what no index has in order: the tokens below a group, and those that end soon, are found first and sorted
                // then. Else the databases like to walk through all tokens, newest first, in the hope of meeting twenty of them.
                Sort::Id if gathered && query.descending => ordered.order((access_tokens::id + 0).desc()),
                Sort::Id if gathered => ordered.order((access_tokens::id + 0).asc()),
                Sort::Id if query.descending => ordered.order(access_tokens::id.desc()),
                Sort::Id => ordered.order(access_tokens::id.asc()),
                Sort::Name => by!(ordered, query, by_character(lower(access_tokens::name))),
                Sort::Description => {
                    let text = coalesce_text(access_tokens::description, "");
                    by!(ordered, query, by_character(lower(text)))
                }
                Sort::Scopes => by!(ordered, query, by_character(access_tokens::scopes)),
                Sort::Created => by!(ordered, query, access_tokens::created_at),
                Sort::LastUsed => {
                    let used = access_token_uses::last_used_at.nullable();
                    by!(ordered, query, coalesce_timestamp(used, never))
                }
                Sort::Expires => {
                    let end = coalesce_date(access_tokens::expires_at, far());
                    by!(ordered, query, end)
                }
                Sort::Role => by!(ordered, query, memberships::access_level),
                Sort::Updated => by!(ordered, query, access_tokens::updated_at),
            };
            let rows: Vec<CountedRow> = if query.or_last_page && request.page > 1 {
                PageOrLast::of(ordered, counted(), request).load($conn)?
            } else {
                ordered.page(request).load($conn)?
            };
            let told = rows.first().map(|(.., all)| *all);
            Page::told(rows, told, request, query.or_last_page, || all().load($conn))?
        }};
    }
    // Not through the type that is both connections, which would write down what is asked for once more.
    let page: Page<CountedRow> = match conn {
        DbConnection::Sqlite(conn) => page_on!(Sqlite, conn),
        DbConnection::Postgres(conn) => page_on!(Pg, conn),
    };
    if page.rows.is_empty() && page.request.page > 1 && query.or_last_page {
        // Of so many nobody knows the last page.
        let first = PageRequest { page: 1, ..request };
        return list(conn, holder, query, first, now);
    }
    Ok(
        page.map(|(token, user, role, usage, grace, values, _)| ListedToken {
            old_values: OldValues::ids(values.as_deref()),
            ..listed((token, user, role, usage, grace))
        }),
    )
}
