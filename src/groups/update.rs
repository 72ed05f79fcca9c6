//! Changing a group.

use serde_json::json;

use super::create::{check_description, checked_name, wider_than_parent};
use super::path::{PathSegment, Place as Segment};
use super::rename::rename;
use super::turn::{locked, reread};
use super::{Group, Visibility, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors, What};
use crate::permissions::Right;

/// What of a group changes; nothing stays as it is.
#[derive(Debug, Clone, Default)]
pub struct GroupChanges {
    /// As shown.
    pub name: Option<String>,
    /// The last segment.
    pub path: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
}

/// Changes name, path, description and visibility. Owners only. A new path is a new address, for everything
/// below as well; the old ones are free.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field.
pub fn update(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    changes: &GroupChanges,
) -> Result<Group, Error> {
    let (group, ctx) = locked(conn, ctx, group)?;
    if !ctx.actor.may(Right::EditGroup, &group.place(), &ctx.policy) {
        return Err(Error::forbidden());
    }
    let mut errors = FieldErrors::default();
    let name = checked_name(changes.name.as_deref().unwrap_or(&group.name), &mut errors);
    let path = changes.path.clone().unwrap_or_else(|| group.path.clone());
    if path != group.path {
        check_path(&path, &group, &mut errors);
    }
    let description = changes
        .description
        .as_deref()
        .unwrap_or(&group.description)
        .trim()
        .to_owned();
    check_description(&description, &mut errors);
    let visibility = changes.visibility.unwrap_or(group.visibility);
    if let Some(parent_id) = group.parent_id {
        let parent = store::find(conn, parent_id)?.ok_or(Error::NotFound(What::Group))?;
        if !visibility.within(parent.visibility) {
            errors.add(
                "visibility",
                wider_than_parent(visibility, parent.visibility),
            );
        }
    }
    if visibility < group.visibility
        && store::widest_inside(conn, group.id)?.is_some_and(|inside| !inside.within(visibility))
    {
        errors.add(
            "visibility",
            format!("{visibility} is not allowed since there are subgroups or projects with higher visibility"),
        );
    }
    errors.check()?;
    let changed = json!({
        "name": changed(&group.name, &name),
        "path": changed(&group.path, &path),
        "description": changed(&group.description, &description),
        "visibility": changed(group.visibility.name(), visibility.name()),
    });
    if is_nothing(&changed) {
        return Ok(group);
    }
    store::update(conn, &group, &name, &description, visibility, ctx.now)?;
    audit::record(
        conn,
        &ctx,
        Event::new("group_updated", Target::Group(&group)).with(changed),
    )?;
    let updated = reread(conn, &group)?;
    if path == group.path {
        return Ok(updated);
    }
    rename(conn, &updated, &path, ctx.now)?;
    let renamed = reread(conn, &group)?;
    audit::record(
        conn,
        &ctx,
        Event::new("group_renamed", Target::Group(&renamed))
            .with(json!({ "full_path": [group.full_path, renamed.full_path] })),
    )?;
    Ok(renamed)
}

/// Turns the creation of group and project access tokens on or off for a top-level group and all below.
///
/// # Errors
/// [`Error::Invalid`] on a subgroup, [`Error::Forbidden`] without the right.
pub fn allow_token_creation(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    allowed: bool,
) -> Result<Group, Error> {
    let (group, ctx) = locked(conn, ctx, group)?;
    if !ctx.actor.may(Right::EditGroup, &group.place(), &ctx.policy) {
        return Err(Error::forbidden());
    }
    // Whoever sends back what they were shown changes nothing.
    if group.parent_id.is_some() && allowed && group.creation_allowed {
        return Ok(group);
    }
    if group.parent_id.is_some() {
        return Err(Error::invalid(
            "resource_access_token_creation_allowed",
            "can only be changed on a top-level group",
        ));
    }
    if !ctx
        .actor
        .may(Right::ChangeCreationSwitch, &group.place(), &ctx.policy)
    {
        return Err(Error::forbidden());
    }
    if group.creation_allowed != allowed {
        store::set_creation_allowed(conn, group.id, allowed, ctx.now)?;
        audit::record(
            conn,
            &ctx,
            Event::new("resource_access_token_creation_allowed_changed", Target::Group(&group))
                .with(json!({ "resource_access_token_creation_allowed": [group.creation_allowed, allowed] })),
        )?;
    }
    store::find(conn, group.id)?.ok_or(Error::NotFound(What::Group))
}

fn check_path(path: &str, group: &Group, errors: &mut FieldErrors) {
    let segment = if group.parent_id.is_some() {
        Segment::Below
    } else {
        Segment::TopLevel
    };
    if let Err(problem) = PathSegment::parse(path, segment) {
        errors.add("path", problem.to_string());
    }
}

/// Is nothing different, in what [`changed`] has told by field?
pub(crate) fn is_nothing(changes: &serde_json::Value) -> bool {
    changes
        .as_object()
        .is_some_and(|fields| fields.values().all(serde_json::Value::is_null))
}

/// Old and new, if they differ.
pub(crate) fn changed(old: &str, new: &str) -> Option<[String; 2]> {
    (old != new).then(|| [old.to_owned(), new.to_owned()])
}
