//! Lists of groups, as far as the actor may know of them.

use diesel::dsl::{IntoBoxed, count_star, exists, not};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::store::{
    children, like_pattern, member_groups, open_visibilities, parents, root_columns, roots,
};
use super::tree::{self, Inside, inside};
use super::{Group, GroupRow, RootRow, Visibility};
use crate::context::Context;
use crate::db::schema::{groups, memberships, projects, users};
use crate::db::{
    Backend, COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Page, PageOrLast, PageRequest,
    after_subtree, by_character, lower,
};
use crate::error::Error;
use crate::members::AccessLevel;
use crate::users::{UserKind, UserState};

/// What narrows a list of groups.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Name or path contains this, whatever the case.
    pub search: Option<String>,
    /// Or the full path does.
    pub search_full_path: bool,
    /// Direct children of this group.
    pub parent_id: Option<i64>,
    /// Anywhere below the group with this traversal.
    pub below: Option<String>,
    /// Not the group with this traversal, nor anything below it.
    pub outside: Option<String>,
    /// Only this visibility.
    pub visibility: Option<Visibility>,
    /// Only groups where the actor has at least this role, by membership.
    pub at_least: Option<AccessLevel>,
    /// Not these.
    pub without: Vec<i64>,
    /// Only ids above this one.
    pub id_after: Option<i64>,
    /// Only ids below this one.
    pub id_before: Option<i64>,
    /// What comes after the group of this name and id, in the order of the names.
    pub after: Option<(String, i64)>,
    /// Don't count them.
    pub uncounted: bool,
    /// Groups without a parent only.
    pub top_level_only: bool,
    /// Top-level groups that no active person owns today.
    pub without_owner: bool,
    /// Only groups where the actor is a member, directly or from above.
    pub membership: bool,
    /// Only those that aren't below another one of the list: what a tree starts with.
    pub topmost: bool,
    /// The order.
    pub order: Order,
    /// Largest first?
    pub descending: bool,
    /// The last page, where the one that is asked for lies beyond the end?
    pub or_last_page: bool,
}

/// What a list of groups is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The full name, whatever the case: below each group what is in it.
    #[default]
    FullName,
    /// The name, whatever the case.
    Name,
    /// The last part of the address.
    Path,
    /// The id.
    Id,
    /// When it was made.
    CreatedAt,
}

/// Is the user a living member of a group above, or of this one too unless `strictly`? With at least this
/// role, if one is named.
macro_rules! is_member {
    ($ctx:expr, $strictly:expr) => {
        $crate::groups::list::is_member!($ctx, $strictly, $crate::members::AccessLevel::Guest)
    };
    ($ctx:expr, $strictly:expr, $at_least:expr) => {
        $crate::groups::list::is_member_of!(
            ($ctx.actor.user_id().unwrap_or(0), $ctx.today()),
            (groups::id, groups::traversal),
            $strictly,
            $at_least
        )
    };
}
pub(crate) use is_member;

/// The same of somebody (a user's id, and the day), and of a group whose id and traversal are told.
macro_rules! is_member_of {
    ($person:expr, ($id:expr, $traversal:expr), $strictly:expr, $at_least:expr) => {
        exists(
            memberships::table
                .inner_join(
                    member_groups.on(member_groups
                        .field(groups::id)
                        .nullable()
                        .eq(memberships::group_id)),
                )
                .filter(memberships::user_id.eq($person.0))
                .filter(memberships::access_level.ge($at_least.number()))
                .filter(
                    memberships::expires_at
                        .is_null()
                        .or(memberships::expires_at.gt($person.1)),
                )
                .filter($traversal.like(member_groups.field(groups::traversal).concat("%")))
                .filter(
                    member_groups
                        .field(groups::id)
                        .ne($id)
                        .or((!$strictly).into_sql::<Bool>()),
                ),
        )
    };
}
pub(crate) use is_member_of;

#[diesel::dsl::auto_type]
fn with_roots() -> _ {
    groups::table.inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
}

type Filtered = IntoBoxed<'static, with_roots, Backend>;

/// The groups that this filter lets through.
fn filtered(ctx: &Context, filter: &Filter) -> Filtered {
    let mut query = with_roots()
        .into_boxed::<Backend>()
        .filter(groups::kind.eq("group"));
    if let Some(parent) = filter.parent_id {
        query = query.filter(groups::parent_id.eq(parent));
    }
    if filter.top_level_only {
        query = query.filter(groups::parent_id.is_null());
    }
    if filter.without_owner {
        let owner = memberships::table
            .inner_join(users::table.on(users::id.eq(memberships::user_id)))
            .filter(memberships::group_id.eq(groups::id.nullable()))
            .filter(memberships::access_level.eq(AccessLevel::Owner.number()))
            .filter(
                memberships::expires_at
                    .is_null()
                    .or(memberships::expires_at.gt(ctx.today())),
            )
            .filter(users::kind.eq(UserKind::Human.as_str()))
            .filter(users::state.eq(UserState::Active.as_str()));
        query = query
            .filter(groups::parent_id.is_null())
            .filter(not(exists(owner)));
    }
    if let Some(traversal) = &filter.below {
        query = query
            .filter(groups::traversal.gt(traversal.clone()))
            .filter(groups::traversal.lt(after_subtree(traversal)));
    }
    if let Some(traversal) = &filter.outside {
        let before = groups::traversal.lt(traversal.clone());
        query = query.filter(before.or(groups::traversal.ge(after_subtree(traversal))));
    }
    if let Some(visibility) = filter.visibility {
        query = query.filter(groups::visibility.eq(visibility.name()));
    }
    if let Some(level) = filter.at_least {
        query = query.filter(is_member!(ctx, false, level));
    }
    if !filter.without.is_empty() {
        query = query.filter(groups::id.ne_all(filter.without.clone()));
    }
    if let Some(id) = filter.id_after {
        query = query.filter(groups::id.gt(id));
    }
    if let Some(id) = filter.id_before {
        query = query.filter(groups::id.lt(id));
    }
    if let Some((name, id)) = &filter.after {
        // Folded by the database, as the column is: no two programs fold every script alike.
        let name = || lower(name.clone().into_sql::<Text>());
        query = if filter.descending {
            let same = by_character(lower(groups::name))
                .eq(name())
                .and(groups::id.lt(*id));
            query.filter(by_character(lower(groups::name)).lt(name()).or(same))
        } else {
            let same = by_character(lower(groups::name))
                .eq(name())
                .and(groups::id.gt(*id));
            query.filter(by_character(lower(groups::name)).gt(name()).or(same))
        };
    }
    if let Some(search) = &filter.search {
        let pattern = like_pattern(search);
        let in_itself = lower(groups::name)
            .like(pattern.clone())
            .escape('\\')
            .or(lower(groups::path).like(pattern.clone()).escape('\\'));
        query = if filter.search_full_path {
            query.filter(in_itself.or(lower(groups::full_path).like(pattern).escape('\\')))
        } else {
            query.filter(in_itself)
        };
    }
    let everything = ctx.actor.is_admin() && !filter.membership;
    if !everything {
        let member = is_member!(ctx, false);
        if filter.membership {
            query = query.filter(member);
        } else {
            query = query.filter(groups::visibility.eq_any(open_visibilities(ctx)).or(member));
        }
    }
    if filter.topmost && everything {
        query = query.filter(groups::parent_id.is_null());
    } else if filter.topmost && filter.membership {
        query = query.filter(not(is_member!(ctx, true)));
    } else if filter.topmost {
        let parent_is_open = exists(
            parents
                .filter(parents.field(groups::id).nullable().eq(groups::parent_id))
                .filter(
                    parents
                        .field(groups::visibility)
                        .eq_any(open_visibilities(ctx)),
                ),
        );
        query = query
            .filter(not(is_member!(ctx, true)))
            .filter(not(parent_is_open));
    }
    query
}

macro_rules! by {
    ($rows:ident, $filter:expr, $key:expr) => {
        if $filter.descending {
            $rows.order(($key.desc(), groups::id.desc()))
        } else {
            $rows.order(($key.asc(), groups::id.asc()))
        }
    };
}

/// A page of these groups, with more columns from the same query, and counted in the same statement as far as anybody is
/// told: a list is one query, however long it is.
macro_rules! page_with {
    ($conn:expr, $ctx:expr, $filter:expr, $request:expr $(, $more:expr => $type:ty)?) => {{
        let (ctx, filter, request): (&Context, &Filter, PageRequest) = ($ctx, $filter, $request);
        let counted_to = if filter.uncounted {
            0
        } else {
            COUNTED_AT_MOST + 1
        };
        let all = || filtered(ctx, filter).select(groups::id).at_most(counted_to);
        let rows = filtered(ctx, filter).select((
            GroupRow::as_select(),
            root_columns!(),
            $($more,)?
            Counted(all()),
        ));
        let rows = match filter.order {
            Order::FullName => by!(rows, filter, by_character(lower(groups::full_name))),
            Order::Name => by!(rows, filter, by_character(lower(groups::name))),
            Order::Path => by!(rows, filter, by_character(lower(groups::path))),
            Order::CreatedAt => by!(rows, filter, groups::created_at),
            Order::Id if filter.descending => rows.order(groups::id.desc()),
            Order::Id => rows.order(groups::id.asc()),
        };
        let rows: Vec<(GroupRow, RootRow, $($type,)? i64)> = if filter.or_last_page && request.page > 1 {
            PageOrLast::of(rows, all(), request).load($conn)?
        } else {
            rows.page(request)
                .load($conn)?
        };
        let told = rows.first().map(|(.., all)| *all);
        Page::told(rows, told, request, filter.or_last_page, || all().load($conn))?
    }};
}

/// The groups that this actor may know of.
///
/// # Errors
/// When the database is away.
pub fn list_visible(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<Group>, Error> {
    let page = page_with!(conn, ctx, filter, request);
    Ok(page.map(|(row, root, _)| Group::from((row, root))))
}

/// As [`list_visible`], with how much lies directly in each of them.
///
/// # Errors
/// When the database is away.
pub fn list_counted(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<Inside>, Error> {
    let page = page_with!(conn, ctx, filter, request, inside!(ctx) => tree::Counts);
    Ok(page.map(|(row, root, counts, _)| Inside::from((Group::from((row, root)), counts))))
}
