//! Lists of projects, as far as the actor may know of them.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::HashMap;

use super::store::{assemble, with_namespace};
use super::{Project, ProjectRow};
use crate::context::Context;
use crate::db::schema::{groups, memberships, projects};
use crate::db::{
    Backend, COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Page, PageOrLast, PageRequest,
    after_subtree, by_character, lower,
};
use crate::error::Error;
use crate::groups::list::is_member;
use crate::groups::store::{like_pattern, member_groups, open_visibilities, root_columns, roots};
use crate::groups::{GroupRow, RootRow, Visibility};
use crate::members::AccessLevel;

/// What narrows a list of projects.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Name, path or description contains this, whatever the case.
    pub search: Option<String>,
    /// Or the full path does.
    pub search_namespaces: bool,
    /// In this namespace directly,
    pub group_id: Option<i64>,
    /// or anywhere below the group with this traversal.
    pub below: Option<String>,
    /// Only this visibility.
    pub visibility: Option<Visibility>,
    /// Only archived ones, or only others.
    pub archived: Option<bool>,
    /// Only projects where the actor is a member, directly or from above.
    pub membership: bool,
    /// Only projects where the actor has at least this role, by membership or as their own.
    pub at_least: Option<AccessLevel>,
    /// Only ids above this one.
    pub id_after: Option<i64>,
    /// Only ids below this one.
    pub id_before: Option<i64>,
    /// Don't count them.
    pub uncounted: bool,
    /// The column to sort by.
    pub order: Order,
    /// Smallest first?
    pub ascending: bool,
    /// The last page, where the one that is asked for lies beyond the end?
    pub or_last_page: bool,
}

/// What a list of projects is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// When it was made.
    #[default]
    CreatedAt,
    /// The id.
    Id,
    /// The name, whatever the case.
    Name,
    /// The path.
    Path,
    /// The last time something happened.
    LastActivityAt,
}

/// Is it the user's own, or are they a living member, of it or from above? With at least this role, if one is
/// named.
macro_rules! is_involved {
    ($ctx:expr) => {
        $crate::projects::list::is_involved!($ctx, $crate::members::AccessLevel::Guest)
    };
    ($ctx:expr, $at_least:expr) => {
        groups::owner_id
            .is_not_null()
            .and(
                groups::owner_id
                    .assume_not_null()
                    .eq($ctx.actor.user_id().unwrap_or(0)),
            )
            .or(is_member!($ctx, false, $at_least))
            .or(projects::id.nullable().eq_any(
                memberships::table
                    .filter(memberships::user_id.eq($ctx.actor.user_id().unwrap_or(0)))
                    .filter(memberships::access_level.ge($at_least.number()))
                    .filter(
                        memberships::expires_at
                            .is_null()
                            .or(memberships::expires_at.gt($ctx.today())),
                    )
                    .select(memberships::project_id),
            ))
    };
}
pub(crate) use is_involved;

/// How many projects that this actor may know of lie directly in each of these namespaces; those
/// without any are absent.
///
/// # Errors
/// When the database is away.
pub fn count_visible_in(
    conn: &mut DbConnection,
    ctx: &Context,
    namespaces: &[i64],
) -> Result<HashMap<i64, i64>, Error> {
    let counts: Vec<(i64, i64)> = projects::table
        .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
        .filter(projects::group_id.eq_any(namespaces.to_vec()))
        .filter(
            ctx.actor
                .is_admin()
                .into_sql::<Bool>()
                .or(projects::visibility.eq_any(open_visibilities(ctx)))
                .or(is_involved!(ctx)),
        )
        .group_by(projects::group_id)
        .select((projects::group_id, count_star()))
        .load(conn)?;
    Ok(counts.into_iter().collect())
}

/// The projects that this actor may know of.
///
/// # Errors
/// When the database is away.
pub fn list_visible(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<Project>, Error> {
    let base = || {
        let mut query = with_namespace!(projects::table).into_boxed::<Backend>();
        if let Some(id) = filter.group_id {
            query = query.filter(projects::group_id.eq(id));
        }
        if let Some(traversal) = &filter.below {
            query = query
                .filter(groups::traversal.ge(traversal.clone()))
                .filter(groups::traversal.lt(after_subtree(traversal)));
        }
        if let Some(visibility) = filter.visibility {
            query = query.filter(projects::visibility.eq(visibility.name()));
        }
        if let Some(archived) = filter.archived {
            query = query.filter(projects::archived.eq(archived));
        }
        if let Some(id) = filter.id_after {
            query = query.filter(projects::id.gt(id));
        }
        if let Some(id) = filter.id_before {
            query = query.filter(projects::id.lt(id));
        }
        if let Some(level) = filter.at_least {
            query = query.filter(is_involved!(ctx, level));
        }
        if let Some(search) = &filter.search {
            let pattern = like_pattern(search);
            let in_itself = lower(projects::name)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(projects::path).like(pattern.clone()).escape('\\'))
                .or(lower(projects::description)
                    .like(pattern.clone())
                    .escape('\\'));
            query = if filter.search_namespaces {
                let full_path = groups::full_path.concat("/").concat(projects::path);
                query.filter(in_itself.or(lower(full_path).like(pattern).escape('\\')))
            } else {
                query.filter(in_itself)
            };
        }
        if filter.membership {
            query = query.filter(is_involved!(ctx));
        } else if !ctx.actor.is_admin() {
            query = query.filter(
                projects::visibility
                    .eq_any(open_visibilities(ctx))
                    .or(is_involved!(ctx)),
            );
        }
        query
    };
    // Counted in the same statement, as far as anybody is told: a list is one query, however long it is.
    let counted_to = if filter.uncounted {
        0
    } else {
        COUNTED_AT_MOST + 1
    };
    let all = || base().select(projects::id).at_most(counted_to);
    let rows = base().select((
        ProjectRow::as_select(),
        GroupRow::as_select(),
        root_columns!(),
        Counted(all()),
    ));
    macro_rules! by {
        ($key:expr) => {
            if filter.ascending {
                rows.order(($key.asc(), projects::id.asc()))
            } else {
                rows.order(($key.desc(), projects::id.desc()))
            }
        };
    }
    let rows = match filter.order {
        Order::CreatedAt => by!(projects::created_at),
        Order::Name => by!(by_character(lower(projects::name))),
        Order::Path => by!(by_character(lower(projects::path))),
        Order::LastActivityAt => by!(projects::last_activity_at),
        Order::Id if filter.ascending => rows.order(projects::id.asc()),
        Order::Id => rows.order(projects::id.desc()),
    };
    let rows: Vec<(ProjectRow, GroupRow, RootRow, i64)> = if filter.or_last_page && request.page > 1
    {
        PageOrLast::of(rows, all(), request).load(conn)?
    } else {
        rows.page(request).load(conn)?
    };
    let told = rows.first().map(|(.., all)| *all);
    let page = Page::told(rows, told, request, filter.or_last_page, || {
        all().load(conn)
    })?;
    Ok(page.map(|(row, namespace, root, _)| assemble((row, (namespace, root)))))
}
