//! Groups in the database.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::path::FullPath;
use super::plan::Plan;
use super::relocation::{fits, rename_below, taken, taken_or_failed};
use super::{Group, GroupRow, RootRow, Visibility};
use crate::context::Context;
use crate::db::schema::{groups, projects, routes};
use crate::db::{DbConnection, Timestamp, Top, straight};
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::projects::ProjectRow;

pub(super) use aliases::children;
pub(crate) use aliases::{member_groups, parents, roots};

/// Other names for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::groups;
    diesel::alias!(
        groups as roots: Roots,
        groups as member_groups: MemberGroups,
        groups as parents: Parents,
        groups as children: Children
    );
}

/// A group as a program names it: by number or by full path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupRef {
    /// Its id.
    Id(i64),
    /// Its full path, in any case.
    Path(String),
}

impl GroupRef {
    /// Only digits are an id, everything else is a path. Digits beyond any id name nothing.
    pub fn parse(text: &str) -> Self {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            GroupRef::Id(text.parse().unwrap_or(0))
        } else {
            GroupRef::Path(text.replace('\0', "%00"))
        }
    }
}

pub(crate) type Joined = (GroupRow, RootRow);

/// The columns of a root that hold for all that lies below it; the query has joined `roots`.
macro_rules! root_columns {
    () => {
        (
            $crate::groups::store::roots
                .field($crate::db::schema::groups::resource_access_token_creation_allowed),
            $crate::groups::store::roots.field($crate::db::schema::groups::retain_bots),
            $crate::groups::store::roots.field($crate::db::schema::groups::plan),
            $crate::groups::store::roots.field($crate::db::schema::groups::trial),
        )
    };
}
pub(crate) use root_columns;

/// A visible group by its full path, with more columns from the same query: `Ok((group, more))`.
macro_rules! visible_group_with {
    ($conn:ident, $ctx:expr, $path:expr, $more:expr => $type:ty) => {{
        use diesel::prelude::*;
        use $crate::db::schema::{groups, routes};
        use $crate::groups::store::{root_columns, roots};
        let found: Option<($crate::groups::GroupRow, $crate::groups::RootRow, $type)> =
            match $crate::groups::path::FullPath::parse($path) {
                Err(_) => None,
                Ok(path) => $crate::db::straight!($conn => groups::table
                    .inner_join(routes::table.on(routes::group_id.eq(groups::id.nullable())))
                    .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
                    .filter(routes::path_key.eq(path.key()))
                    .select((
                        $crate::groups::GroupRow::as_select(),
                        root_columns!(),
                        $more,
                    ))
                    .get_result($conn)
                    .optional()?),
            };
        found
            .map(|(row, root, more)| ($crate::groups::Group::from((row, root)), more))
            .filter(|(group, _)| {
                let right = $crate::permissions::Right::SeeGroup;
                !group.is_personal() && $ctx.actor.may(right, &group.place(), &$ctx.policy)
            })
            .ok_or($crate::error::Error::NotFound($crate::error::What::Group))
    }};
}
pub(crate) use visible_group_with;

/// Select list and join that every single look-up shares.
macro_rules! with_root {
    ($from:expr) => {
        $from
            .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
            .select((GroupRow::as_select(), root_columns!()))
    };
}

/// A group or personal namespace by id, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find(conn: &mut DbConnection, id: i64) -> Result<Option<Group>, Error> {
    let found: Option<Joined> = straight!(conn => with_root!(groups::table)
        .filter(groups::id.eq(id))
        .get_result(conn)
        .optional()?);
    Ok(found.map(Group::from))
}

/// The groups and personal namespaces with these ids, in no order, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find_all(
    conn: &mut DbConnection,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<Group>, Error> {
    let ids: Vec<i64> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<Joined> = with_root!(groups::table)
        .filter(groups::id.eq_any(ids))
        .load(conn)?;
    Ok(found.into_iter().map(Group::from).collect())
}

/// A group or personal namespace by full path, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find_by_path(conn: &mut DbConnection, path: &str) -> Result<Option<Group>, Error> {
    let Ok(path) = FullPath::parse(path) else {
        return Ok(None);
    };
    let found: Option<Joined> = straight!(conn => with_root!(
        groups::table.inner_join(routes::table.on(routes::group_id.eq(groups::id.nullable())))
    )
    .filter(routes::path_key.eq(path.key()))
    .get_result(conn)
    .optional()?);
    Ok(found.map(Group::from))
}

/// A group or personal namespace by either name, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find_by_ref(conn: &mut DbConnection, name: &GroupRef) -> Result<Option<Group>, Error> {
    match name {
        GroupRef::Id(id) => find(conn, *id),
        GroupRef::Path(path) => find_by_path(conn, path),
    }
}

/// The group, if this actor may know of it.
///
/// # Errors
/// [`Error::NotFound`], the same for a hidden group and for one that doesn't exist.
pub fn find_visible(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &GroupRef,
) -> Result<Group, Error> {
    find_by_ref(conn, name)?
        .filter(|group| {
            !group.is_personal() && ctx.actor.may(Right::SeeGroup, &group.place(), &ctx.policy)
        })
        .ok_or(Error::NotFound(What::Group))
}

/// The group, if this actor may know of it, with its own projects, newest first; in one query. The
/// caller leaves out the projects that the actor may not know of.
///
/// # Errors
/// As [`find_visible`].
pub fn find_visible_with_projects(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &GroupRef,
) -> Result<(Group, Vec<ProjectRow>), Error> {
    macro_rules! read {
        ($condition:expr) => {
            straight!(conn => Top::<WITH_PROJECTS, _>(
                groups::table
                    .inner_join(routes::table.on(routes::group_id.eq(groups::id.nullable())))
                    .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
                    .left_join(projects::table.on(projects::group_id.eq(groups::id)))
                    .filter($condition)
                    .select((
                        GroupRow::as_select(),
                        root_columns!(),
                        Option::<ProjectRow>::as_select(),
                    ))
                    .order(projects::id.desc())
            )
            .load(conn)?)
        };
    }
    let rows: Vec<(GroupRow, RootRow, Option<ProjectRow>)> = match name {
        GroupRef::Id(id) => read!(groups::id.eq(id)),
        GroupRef::Path(path) => match FullPath::parse(path) {
            Ok(path) => read!(routes::path_key.eq(path.key())),
            Err(_) => Vec::new(),
        },
    };
    let mut group = None;
    let mut inside = Vec::new();
    for (row, root, project) in rows {
        group.get_or_insert((row, root));
        inside.extend(project);
    }
    let group = group
        .map(Group::from)
        .filter(|group| {
            !group.is_personal() && ctx.actor.may(Right::SeeGroup, &group.place(), &ctx.policy)
        })
        .ok_or(Error::NotFound(What::Group))?;
    Ok((group, inside))
}

/// Projects read together with their group.
const WITH_PROJECTS: u32 = 500;

/// The person's own namespace.
///
/// # Errors
/// When the database is away.
pub fn find_personal(conn: &mut DbConnection, owner_id: i64) -> Result<Option<Group>, Error> {
    let found: Option<Joined> = with_root!(groups::table)
        .filter(groups::owner_id.eq(owner_id))
        .get_result(conn)
        .optional()?;
    Ok(found.map(Group::from))
}

/// The groups from the root down to and including this one, for breadcrumbs and inherited members.
///
/// # Errors
/// When the database is away.
pub fn ancestry(conn: &mut DbConnection, group: &Group) -> Result<Vec<GroupRow>, Error> {
    let ids: Vec<i64> = crate::members::ids_of(&group.traversal).collect();
    Ok(groups::table
        .filter(groups::id.eq_any(ids))
        .order(groups::traversal.asc())
        .select(GroupRow::as_select())
        .load(conn)?)
}

/// What this actor sees without being a member.
pub(crate) fn open_visibilities(ctx: &Context) -> Vec<&'static str> {
    let internal = ctx.actor.user.as_ref().is_some_and(|user| {
        user.is_active()
            && !user.external
            && (!user.is_bot() || ctx.policy.settings.bots_read_internal)
    });
    if internal {
        vec!["public", "internal"]
    } else {
        vec!["public"]
    }
}

/// `%text%` in lower case, with the text's own wildcards taken literally. NUL, which no text in the
/// database has and PostgreSQL doesn't take, is left out.
pub(crate) fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A group to be.
#[derive(Debug)]
pub(crate) struct NewGroup<'a> {
    pub name: &'a str,
    pub path: &'a str,
    pub description: &'a str,
    pub visibility: Visibility,
    pub parent: Option<&'a Group>,
    pub owner_id: Option<i64>,
    pub now: DateTime<Utc>,
}

/// Puts a group and its address into the database.
pub(crate) fn insert(conn: &mut DbConnection, new: &NewGroup<'_>) -> Result<Group, Error> {
    let below = |parent: &dyn Fn(&Group) -> &str, separator: &str, last: &str| match new.parent {
        Some(group) => format!("{}{separator}{last}", parent(group)),
        None => last.to_owned(),
    };
    let full_path = below(&|group| &group.full_path, "/", new.path);
    let full_name = below(&|group| &group.full_name, " / ", new.name);
    fits(full_path.len())?;
    let key = full_path.to_ascii_lowercase();
    if diesel::select(exists(routes::table.find(&key))).get_result(conn)? {
        return Err(taken());
    }
    let now = Timestamp::from(new.now);
    let id: i64 = diesel::insert_into(groups::table)
        .values((
            groups::kind.eq(if new.owner_id.is_some() {
                "user"
            } else {
                "group"
            }),
            groups::name.eq(new.name),
            groups::path.eq(new.path),
            groups::description.eq(new.description),
            groups::full_path.eq(&full_path),
            groups::full_name.eq(full_name),
            // The real one needs the id; until then the address, which is as unique.
            groups::traversal.eq(format!("/{key}")),
            groups::root_id.eq(new.parent.map_or(0, |group| group.root_id)),
            groups::parent_id.eq(new.parent.map(|group| group.id)),
            groups::owner_id.eq(new.owner_id),
            groups::visibility.eq(new.visibility.name()),
            groups::created_at.eq(now),
            groups::updated_at.eq(now),
        ))
        .returning(groups::id)
        .get_result(conn)?;
    let above = new.parent.map_or("", |group| group.traversal.as_str());
    diesel::update(groups::table.find(id))
        .set((
            groups::traversal.eq(format!("{above}{id}/")),
            groups::root_id.eq(new.parent.map_or(id, |group| group.root_id)),
        ))
        .execute(conn)?;
    diesel::insert_into(routes::table)
        .values((routes::path_key.eq(&key), routes::group_id.eq(id)))
        .execute(conn)
        .map_err(taken_or_failed)?;
    find(conn, id)?.ok_or_else(|| Error::internal(anyhow::anyhow!("a new group is not there")))
}

/// Name, description and visibility; a new name changes the full names of everything below.
pub(super) fn update(
    conn: &mut DbConnection,
    group: &Group,
    name: &str,
    description: &str,
    visibility: Visibility,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(groups::table.find(group.id))
        .set((
            groups::name.eq(name),
            groups::description.eq(description),
            groups::visibility.eq(visibility.name()),
            groups::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    if name != group.name {
        rename_below(conn, group, name)?;
    }
    Ok(())
}

/// The widest visibility of what lies directly in a group: it can't become narrower than that.
pub(super) fn widest_inside(
    conn: &mut DbConnection,
    group_id: i64,
) -> Result<Option<Visibility>, Error> {
    let holds = |visibility: Visibility| {
        let subgroups = children
            .filter(children.field(groups::parent_id).eq(groups::id.nullable()))
            .filter(children.field(groups::visibility).eq(visibility.name()));
        let inside = projects::table
            .filter(projects::group_id.eq(groups::id))
            .filter(projects::visibility.eq(visibility.name()));
        exists(subgroups).or(exists(inside))
    };
    let [private, internal, public] = Visibility::ALL;
    let found: Option<(bool, bool, bool)> = groups::table
        .find(group_id)
        .select((holds(private), holds(internal), holds(public)))
        .get_result(conn)
        .optional()?;
    Ok(found.and_then(|found| match found {
        (_, _, true) => Some(public),
        (_, true, _) => Some(internal),
        (true, ..) => Some(private),
        _ => None,
    }))
}

/// The switch; only a top-level group has one.
pub(super) fn set_creation_allowed(
    conn: &mut DbConnection,
    group_id: i64,
    allowed: bool,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(groups::table.find(group_id))
        .set((
            groups::resource_access_token_creation_allowed.eq(allowed),
            groups::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// What a top-level group pays for.
pub(super) fn set_plan(
    conn: &mut DbConnection,
    group_id: i64,
    plan: Plan,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(groups::table.find(group_id))
        .set((
            groups::plan.eq(plan.tier.name()),
            groups::trial.eq(plan.trial),
            groups::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Top-level groups with a say of their own about keeping bots: path, and whether they are kept. The first hundred.
///
/// # Errors
/// When the database is away.
pub fn with_own_retention(conn: &mut DbConnection) -> Result<Vec<(String, bool)>, Error> {
    let rows: Vec<(String, Option<bool>)> = groups::table
        .filter(groups::parent_id.is_null())
        .filter(groups::retain_bots.is_not_null())
        .order(groups::full_path.asc())
        .limit(100)
        .select((groups::full_path, groups::retain_bots))
        .load(conn)?;
    let kept = |(path, kept): (String, Option<bool>)| Some((path, kept?));
    Ok(rows.into_iter().filter_map(kept).collect())
}

/// Whether bots are kept here after a revocation, whatever the instance says.
///
/// # Errors
/// When the database is away.
pub fn set_retain_bots(
    conn: &mut DbConnection,
    group_id: i64,
    keep: Option<bool>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(groups::table.find(group_id))
        .set((
            groups::retain_bots.eq(keep),
            groups::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}
