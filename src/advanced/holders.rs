//! Who has which role around what moves, in the database.

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Nullable};

use super::roles::Held;
use super::store::Destination;
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::schema::{access_tokens, groups, memberships, projects, users};
use crate::db::{COUNTED_AT_MOST, DbConnection, Firsts, Timestamp, UnionAll};
use crate::error::Error;
use crate::groups::Visibility;
use crate::groups::relocation::below;
use crate::members::{AccessLevel, ids_of};
use crate::permissions::is_open_to;
use crate::users::{UserKind, UserState};

diesel::alias! {
    const FURTHER_DOWN: Alias<FurtherDown> = memberships as further_down;
}

/// Tokens that work at this moment, old values in their grace included.
macro_rules! working {
    ($now:expr) => {{
        let in_grace = access_tokens::grace_until.is_not_null().and(
            access_tokens::grace_until
                .assume_not_null()
                .gt(Timestamp::from($now)),
        );
        access_tokens::table
            .filter(diesel::dsl::not(access_tokens::revoked).or(in_grace))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.gt($now.date_naive())),
            )
    }};
}

/// The roles around a group or project that moves.
#[derive(Debug)]
pub struct Roles {
    /// Those that hold before or after it, highest first; one more than [`COUNTED_AT_MOST`] at the most.
    pub held: Vec<Held>,
    /// Is there a person who owns the group itself, without an end?
    pub owned_for_good: bool,
}

/// The roles of people, and of bots whose token works, that hold in a group or project where it lies now, or would
/// there. Whoever a namespace belongs to has a role in what is in it without a membership. One query.
///
/// # Errors
/// When the database is away.
pub fn held(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    destination: &Destination,
) -> Result<Roles, Error> {
    let now = ctx.now;
    let to = destination.parent.as_ref();
    let before: Vec<i64> = ids_of(&resource.group().traversal).collect();
    let mut after: Vec<i64> = to.map_or_else(Vec::new, |to| ids_of(&to.traversal).collect());
    let project_id = match resource {
        Resource::Group(group) => {
            after.push(group.id);
            None
        }
        Resource::Project(project) => Some(project.id),
    };
    let mut around = before.clone();
    around.extend(&after);
    // What lies in a project has no roles of its own: nothing is below this.
    let (traversal, visibility) = match resource {
        Resource::Group(group) => (group.traversal.as_str(), group.visibility),
        Resource::Project(project) => ("none/", project.visibility),
    };
    let groups_below = groups::table
        .filter(below!(traversal))
        .filter(groups::id.ne(resource.id()))
        .select(groups::id.nullable());
    let projects_below = projects::table
        .inner_join(groups::table)
        .filter(below!(traversal))
        .select(projects::id.nullable());
    let ends = FURTHER_DOWN.field(memberships::expires_at);
    let keeps_one = exists(
        FURTHER_DOWN
            .filter(FURTHER_DOWN.field(memberships::user_id).eq(users::id))
            .filter(ends.is_null().or(ends.gt(now.date_naive())))
            .filter(
                FURTHER_DOWN
                    .field(memberships::group_id)
                    .eq_any(groups_below)
                    .or(FURTHER_DOWN
                        .field(memberships::project_id)
                        .eq_any(projects_below)),
            ),
    );
    let has_token = exists(
        working!(now)
            .filter(access_tokens::user_id.eq(users::id))
            .filter(access_tokens::root_id.is_not_null()),
    );
    let person = || {
        (
            users::id,
            users::name,
            users::username,
            users::kind,
            users::admin,
            users::external,
        )
    };
    let members = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(
            memberships::group_id
                .is_not_null()
                .and(memberships::group_id.assume_not_null().eq_any(around))
                .or(memberships::project_id.is_not_null().and(
                    memberships::project_id
                        .assume_not_null()
                        .eq(project_id.unwrap_or(0)),
                )),
        )
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(now.date_naive())),
        )
        .filter(users::state.eq(UserState::Active.as_str()))
        .filter(users::kind.eq(UserKind::Human.as_str()).or(has_token))
        .select((
            person(),
            memberships::access_level,
            memberships::group_id,
            memberships::expires_at,
            false.into_sql::<Bool>(),
            keeps_one,
        ));
    let owner_before = resource.group().owner_id;
    let owner_after = to.and_then(|to| to.owner_id);
    let of_namespaces: Vec<i64> = owner_before.into_iter().chain(owner_after).collect();
    let owners = users::table
        .filter(users::id.eq_any(of_namespaces))
        .filter(users::state.eq(UserState::Active.as_str()))
        .select((
            person(),
            AccessLevel::Owner.number().into_sql::<Integer>(),
            None::<i64>.into_sql::<Nullable<BigInt>>(),
            None::<NaiveDate>.into_sql::<Nullable<Date>>(),
            true.into_sql::<Bool>(),
            false.into_sql::<Bool>(),
        ));
    // The highest level first, which is the seventh column.
    let rows: Vec<Row> = Firsts {
        query: UnionAll(members, owners),
        by: &[-7, 1],
        at_most: COUNTED_AT_MOST + 1,
    }
    .load(conn)?;
    let owned_for_good = rows.iter().any(|row| {
        row.group_id == Some(resource.id())
            && row.level == AccessLevel::Owner
            && row.expires_at.is_none()
            && row.person.3 == UserKind::Human.as_str()
    });
    let held = rows.into_iter().map(|row| {
        let (user_id, name, username, kind, admin, external) = row.person;
        let is_bot = kind == UserKind::ProjectBot.as_str();
        let sees =
            |visibility: Visibility| admin || is_open_to(visibility, external, is_bot, &ctx.policy);
        let holds = |ids: &[i64], owner: Option<i64>| match row.group_id {
            Some(id) => ids.contains(&id),
            None if row.owns_namespace => owner == Some(user_id),
            None => true,
        };
        Held {
            user_id,
            name,
            username,
            is_bot,
            level: row.level,
            before: holds(&before, owner_before),
            after: holds(&after, owner_after),
            sees_anyway: sees(visibility),
            sees_all_below: sees(destination.narrowest),
            further_down: row.further_down,
        }
    });
    Ok(Roles {
        held: held.collect(),
        owned_for_good,
    })
}

/// Id, name, user name, kind; an administrator, from outside?
type Person = (i64, String, String, String, bool, bool);

/// A role, and whose.
#[derive(Queryable)]
struct Row {
    person: Person,
    #[diesel(deserialize_as = i32)]
    level: AccessLevel,
    /// On this group; else on the project, or as the owner of a namespace.
    group_id: Option<i64>,
    expires_at: Option<NaiveDate>,
    owns_namespace: bool,
    further_down: bool,
}
