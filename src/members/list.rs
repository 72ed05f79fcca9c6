//! The members of a group or project, direct and inherited.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use std::collections::HashMap;

use super::{AccessLevel, Membership, ids_of};
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::schema::{groups, memberships, users};
use crate::db::{
    Backend, COUNTED_AT_MOST, DbConnection, Limits as _, Page, PageRequest, Timestamp,
    by_character, coalesce_date, lower,
};
use crate::error::Error;
use crate::groups::store::like_pattern;
use crate::users::{User, UserKind};

/// A member as lists show them.
#[derive(Debug, Clone)]
pub struct Member {
    /// The person or bot.
    pub user: User,
    /// The role.
    pub access_level: AccessLevel,
    /// The first day on which it no longer counts.
    pub expires_at: Option<NaiveDate>,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Who added them.
    pub created_by_id: Option<i64>,
    /// Where the role comes from, if not from here: id and full path of the group above.
    pub inherited_from: Option<(i64, String)>,
}

/// What narrows a list of members.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Name or user name contains this, whatever the case.
    pub search: Option<String>,
    /// Those of groups above too.
    pub inherited: bool,
    /// Only these users.
    pub user_ids: Vec<i64>,
    /// People only, or bots only.
    pub kind: Option<UserKind>,
    /// Only with this role.
    pub access_level: Option<AccessLevel>,
    /// The order.
    pub sort: Sort,
    /// Largest first?
    pub descending: bool,
}

/// What a list of members is sorted by; ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// People before bots, each as they came: the API's order.
    #[default]
    Kind,
    /// The name, whatever the case.
    Name,
    /// The role.
    AccessLevel,
    /// The end; none is the farthest future.
    ExpiresAt,
    /// When they became members.
    CreatedAt,
}

type Row = (Membership, Timestamp, Option<i64>, User, Option<String>);

/// The living members. With inherited ones, a user appears once, with their highest role.
///
/// # Errors
/// When the database is away.
pub fn list(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<Member>, Error> {
    let here = resource.id();
    let base = || {
        let mut query = memberships::table
            .inner_join(users::table.on(users::id.eq(memberships::user_id)))
            .left_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
            .filter(users::bot_gone_at.is_null())
            .filter(
                memberships::expires_at
                    .is_null()
                    .or(memberships::expires_at.gt(ctx.today())),
            )
            .into_boxed::<Backend>();
        let above: Vec<i64> = ids_of(&resource.group().traversal).collect();
        query = match (resource, filter.inherited) {
            (Resource::Group(group), false) => query.filter(memberships::group_id.eq(group.id)),
            (Resource::Group(_), true) => query.filter(memberships::group_id.eq_any(above)),
            (Resource::Project(project), false) => {
                query.filter(memberships::project_id.eq(project.id))
            }
            (Resource::Project(project), true) => query.filter(
                memberships::project_id
                    .is_not_null()
                    .and(memberships::project_id.assume_not_null().eq(project.id))
                    .or(memberships::group_id
                        .is_not_null()
                        .and(memberships::group_id.assume_not_null().eq_any(above))),
            ),
        };
        if let Some(search) = &filter.search {
            let pattern = like_pattern(search);
            query = query.filter(
                lower(users::name)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(users::username_key.like(pattern).escape('\\')),
            );
        }
        if !filter.user_ids.is_empty() {
            query = query.filter(users::id.eq_any(filter.user_ids.clone()));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(users::kind.eq(kind.as_str()));
        }
        if let Some(level) = filter.access_level.filter(|_| !filter.inherited) {
            query = query.filter(memberships::access_level.eq(level.number()));
        }
        query
    };
    let select = (
        Membership::as_select(),
        memberships::created_at,
        memberships::created_by_id,
        User::as_select(),
        groups::full_path.nullable(),
    );
    let is_direct = |membership: &Membership| match resource {
        Resource::Group(_) => membership.group_id == Some(here),
        Resource::Project(_) => membership.project_id == Some(here),
    };
    let member = |(membership, created_at, created_by_id, user, path): Row| Member {
        access_level: membership.access_level,
        expires_at: membership.expires_at,
        created_at: created_at.into(),
        created_by_id,
        inherited_from: (!is_direct(&membership))
            .then(|| (membership.group_id.unwrap_or(0), path.unwrap_or_default())),
        user,
    };
    if filter.inherited {
        // One row for each user: the best of a handful of levels, chosen here.
        let rows: Vec<Row> = base()
            .select(select)
            .order((memberships::access_level.desc(), users::id.asc()))
            .limit(COUNTED_AT_MOST + 1)
            .load(conn)?;
        let mut best = highest(rows, is_direct);
        // Asked of the role that counts, not of each that somebody has.
        best.retain(|row| {
            filter
                .access_level
                .is_none_or(|level| row.0.access_level == level)
        });
        sort(&mut best, filter);
        let counted = i64::try_from(best.len()).unwrap_or(i64::MAX);
        let skip = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        let take = usize::try_from(request.per_page + 1).unwrap_or(101);
        let rows = best.into_iter().skip(skip).take(take).map(member).collect();
        return Ok(Page::new(rows, request, counted));
    }
    let ordered = base().select(select);
    macro_rules! by {
        ($key:expr) => {
            if filter.descending {
                ordered.order(($key.desc(), memberships::id.desc()))
            } else {
                ordered.order(($key.asc(), memberships::id.asc()))
            }
        };
    }
    let ordered = match filter.sort {
        // By chance the words are in this order: human, project_bot.
        Sort::Kind => by!(users::kind),
        Sort::Name => by!(by_character(lower(users::name))),
        Sort::AccessLevel => by!(memberships::access_level),
        Sort::ExpiresAt => by!(coalesce_date(memberships::expires_at, FAR)),
        Sort::CreatedAt => by!(memberships::created_at),
    };
    let rows: Vec<Row> = ordered.page(request).load(conn)?;
    let page = Page::counted(rows, request, || {
        base()
            .select(memberships::id)
            .at_most(COUNTED_AT_MOST + 1)
            .load(conn)
    })?;
    Ok(page.map(member))
}

/// What stands for a membership without an end when ends are compared.
const FAR: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

/// One row for each user: the highest role; of equal ones the direct one. `rows` come highest first.
fn highest(rows: Vec<Row>, is_direct: impl Fn(&Membership) -> bool) -> Vec<Row> {
    let mut best: Vec<Row> = Vec::new();
    let mut seen = HashMap::new();
    for row in rows {
        match seen.get(&row.3.id) {
            None => {
                seen.insert(row.3.id, best.len());
                best.push(row);
            }
            Some(&at) => {
                if let Some(kept) = best.get_mut(at)
                    && kept.0.access_level == row.0.access_level
                    && is_direct(&row.0)
                {
                    *kept = row;
                }
            }
        }
    }
    best
}

/// As the database would sort them.
fn sort(rows: &mut [Row], filter: &Filter) {
    let end = |row: &Row| row.0.expires_at.unwrap_or(FAR);
    rows.sort_by(|a, b| {
        let by_key = match filter.sort {
            Sort::Kind => a.3.is_bot().cmp(&b.3.is_bot()),
            Sort::Name => a.3.name.to_lowercase().cmp(&b.3.name.to_lowercase()),
            Sort::AccessLevel => a.0.access_level.cmp(&b.0.access_level),
            Sort::ExpiresAt => end(a).cmp(&end(b)),
            Sort::CreatedAt => a.1.cmp(&b.1),
        };
        let order = by_key.then(a.3.id.cmp(&b.3.id));
        if filter.descending {
            order.reverse()
        } else {
            order
        }
    });
}

/// Users by id, for the names of who added whom.
///
/// # Errors
/// When the database is away.
pub fn users_by_id(conn: &mut DbConnection, ids: &[i64]) -> Result<Vec<User>, Error> {
    Ok(users::table
        .filter(users::id.eq_any(ids))
        .select(User::as_select())
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::samples::{membership, user};
    use AccessLevel::{Developer, Guest, Owner};

    fn row(user_id: i64, name: &str, kind: UserKind, group_id: i64, level: AccessLevel) -> Row {
        let at = Timestamp::from(DateTime::UNIX_EPOCH);
        (
            membership(0, user_id, group_id, level),
            at,
            None,
            user(user_id, name, kind),
            None,
        )
    }

    fn human(user_id: i64, name: &str, group_id: i64, level: AccessLevel) -> Row {
        row(user_id, name, UserKind::Human, group_id, level)
    }

    #[test]
    fn of_several_roles_the_highest_counts_and_of_equal_ones_the_direct_one() {
        let rows = vec![
            human(1, "Alice", 1, Owner),
            human(2, "Bob", 1, Developer),
            human(2, "Bob", 17, Developer),
            human(1, "Alice", 17, Guest),
        ];
        let best = highest(rows, |membership| membership.group_id == Some(17));
        let told: Vec<_> = best
            .iter()
            .map(|row| (row.3.id, row.0.group_id, row.0.access_level))
            .collect();
        assert_eq!(told, [(1, Some(1), Owner), (2, Some(17), Developer)]);
    }

    #[test]
    fn an_order_can_be_turned_round_and_ties_go_by_id() {
        let mut rows = vec![
            human(3, "carol", 1, Developer),
            row(4, "a bot", UserKind::ProjectBot, 1, Owner),
            human(2, "Bob", 1, Developer),
            human(1, "Alice", 1, Owner),
        ];
        rows[2].0.expires_at = NaiveDate::from_ymd_opt(2027, 1, 1);
        let mut sorted = |by: Sort, descending: bool| -> Vec<i64> {
            sort(
                &mut rows,
                &Filter {
                    sort: by,
                    descending,
                    ..Filter::default()
                },
            );
            rows.iter().map(|row| row.3.id).collect()
        };
        assert_eq!(sorted(Sort::Kind, false), [1, 2, 3, 4]);
        assert_eq!(sorted(Sort::Name, false), [4, 1, 2, 3]);
        assert_eq!(sorted(Sort::Name, true), [3, 2, 1, 4]);
        assert_eq!(sorted(Sort::AccessLevel, false), [2, 3, 1, 4]);
        assert_eq!(sorted(Sort::AccessLevel, true), [4, 1, 3, 2]);
        assert_eq!(
            sorted(Sort::ExpiresAt, false),
            [2, 1, 3, 4],
            "without an end comes last"
        );
    }
}
