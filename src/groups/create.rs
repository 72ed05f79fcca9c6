//! Making groups, and the namespace of a person.

use serde_json::json;

use super::path::{MAX_NESTING, PathSegment, Place as Segment};
use super::store::{self, NewGroup};
use super::turn::locked;
use super::{Group, Visibility};
use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors};
use crate::members::{AccessLevel, store as memberships};
use crate::permissions::Right;
use crate::text::Name;
use crate::users::User;

/// A group as somebody asks for it.
#[derive(Debug, Clone)]
pub struct NewGroupForm {
    /// As shown.
    pub name: String,
    /// The last segment.
    pub path: String,
    /// What it is for.
    pub description: String,
    /// Nothing: the instance's default, or as narrow as the parent.
    pub visibility: Option<Visibility>,
}

/// The longest description of a group or project, in characters.
pub const DESCRIPTION_MAX: usize = 500;

/// Makes a group; in `parent`, or at the top, where the maker becomes its Owner. `owner` is made Owner
/// in place of the maker (the console says for whom).
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field.
pub fn create(
    conn: &mut DbConnection,
    ctx: &Context,
    parent: Option<&Group>,
    form: &NewGroupForm,
    owner: Option<&User>,
) -> Result<Group, Error> {
    let (parent, ctx) = match parent {
        Some(parent) => {
            let (parent, ctx) = locked(conn, ctx, parent)?;
            if !ctx
                .actor
                .may(Right::CreateSubgroup, &parent.place(), &ctx.policy)
            {
                return Err(Error::forbidden());
            }
            (Some(parent), ctx)
        }
        None => {
            let ctx = ctx.refreshed(conn)?;
            if !ctx.actor.may_on_instance(Right::CreateTopLevelGroup) {
                return Err(Error::forbidden());
            }
            (None, ctx)
        }
    };
    let mut errors = FieldErrors::default();
    let segment = if parent.is_some() {
        Segment::Below
    } else {
        Segment::TopLevel
    };
    if let Err(problem) = PathSegment::parse(&form.path, segment) {
        errors.add("path", problem.to_string());
    }
    let name = checked_name(&form.name, &mut errors);
    check_description(&form.description, &mut errors);
    let ceiling = parent
        .as_ref()
        .map_or(Visibility::Public, |parent| parent.visibility);
    let visibility = form
        .visibility
        .unwrap_or_else(|| ctx.policy.settings.default_group_visibility.min(ceiling));
    if !visibility.within(ceiling) {
        errors.add("visibility", wider_than_parent(visibility, ceiling));
    }
    if parent
        .as_ref()
        .is_some_and(|parent| parent.depth() + 2 > MAX_NESTING)
    {
        errors.add(
            "parent_id",
            format!("is nested too deep (maximum is {MAX_NESTING} levels)"),
        );
    }
    errors.check()?;
    let group = store::insert(
        conn,
        &NewGroup {
            name: &name,
            path: &form.path,
            description: form.description.trim(),
            visibility,
            parent: parent.as_ref(),
            owner_id: None,
            now: ctx.now,
        },
    )?;
    let owner_id = owner.map(|user| user.id).or_else(|| ctx.actor.user_id());
    if let (None, Some(user_id)) = (&parent, owner_id) {
        memberships::insert(
            conn,
            &memberships::NewMembership {
                user_id,
                group_id: Some(group.id),
                project_id: None,
                access_level: AccessLevel::Owner,
                expires_at: None,
                bot: false,
                created_by_id: ctx.actor.user_id(),
                now: ctx.now,
            },
        )?;
    }
    audit::record(
        conn,
        &ctx,
        Event::new("group_created", Target::Group(&group))
            .with(json!({ "full_path": group.full_path, "visibility": group.visibility.name() })),
    )?;
    Ok(group)
}

/// Makes a person's own namespace, where they are the Owner without being a member.
pub(crate) fn create_personal(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
) -> Result<Group, Error> {
    let made = store::insert(
        conn,
        &NewGroup {
            name: &user.name,
            path: &user.username,
            description: "",
            visibility: Visibility::Public,
            parent: None,
            owner_id: Some(user.id),
            now: ctx.now,
        },
    );
    made.map_err(|error| match error {
        // The address is taken by a group: people know it as a user name here.
        Error::Invalid(_) => Error::invalid("username", "has already been taken"),
        other => other,
    })
}

pub(crate) fn checked_name(text: &str, errors: &mut FieldErrors) -> String {
    match Name::parse(text) {
        Ok(name) => name.into_string(),
        Err(problem) => {
            errors.add("name", problem.rule.to_string());
            String::new()
        }
    }
}

pub(crate) fn check_description(text: &str, errors: &mut FieldErrors) {
    if text.chars().count() > DESCRIPTION_MAX {
        errors.add(
            "description",
            format!("is too long (maximum is {DESCRIPTION_MAX} characters)"),
        );
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        errors.add("description", "contains invalid characters");
    }
}

pub(crate) fn wider_than_parent(visibility: Visibility, parent: Visibility) -> String {
    format!("{visibility} is not allowed since the parent group has {parent} visibility")
}

/// A group as a [`Resource`], for the verbs that serve groups and projects alike.
impl From<Group> for Resource {
    fn from(group: Group) -> Self {
        Resource::Group(group)
    }
}
