//! Changing a project.

use serde_json::json;

use super::Project;
use super::store::{self, Changes};
use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors, What};
use crate::groups::Visibility;
use crate::groups::create::{check_description, checked_name, wider_than_parent};
use crate::groups::path::{PathSegment, Place as Segment};
use crate::groups::update::{changed, is_nothing};
use crate::permissions::Right;

/// What of a project changes; nothing stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ProjectChanges {
    /// As shown.
    pub name: Option<String>,
    /// The last segment.
    pub path: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
    /// Set aside?
    pub archived: Option<bool>,
}

/// Changes a project. Maintainers and up.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field.
pub fn update(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &Project,
    changes: &ProjectChanges,
) -> Result<Project, Error> {
    let (resource, ctx) = Resource::Project(project.clone()).locked(conn, ctx)?;
    let Resource::Project(project) = resource else {
        return Err(Error::NotFound(What::Project));
    };
    if !ctx
        .actor
        .may(Right::EditProject, &project.place(), &ctx.policy)
    {
        return Err(Error::forbidden());
    }
    let mut errors = FieldErrors::default();
    let name = checked_name(
        changes.name.as_deref().unwrap_or(&project.name),
        &mut errors,
    );
    let path = changes.path.clone().unwrap_or_else(|| project.path.clone());
    if let Err(problem) = PathSegment::parse(&path, Segment::Below) {
        errors.add("path", problem.to_string());
    }
    let description = changes
        .description
        .as_deref()
        .unwrap_or(&project.description)
        .trim()
        .to_owned();
    check_description(&description, &mut errors);
    let visibility = changes.visibility.unwrap_or(project.visibility);
    let ceiling = project.namespace.visibility;
    if !visibility.within(ceiling) {
        errors.add("visibility", wider_than_parent(visibility, ceiling));
    }
    errors.check()?;
    let archived = changes.archived.unwrap_or(project.archived);
    let details = json!({
        "name": changed(&project.name, &name),
        "path": changed(&project.path, &path),
        "description": changed(&project.description, &description),
        "visibility": changed(project.visibility.name(), visibility.name()),
        "archived": (project.archived != archived).then_some([project.archived, archived]),
    });
    if is_nothing(&details) {
        return Ok(project);
    }
    store::update(
        conn,
        &project,
        &Changes {
            name: &name,
            path: &path,
            description: &description,
            visibility,
            archived,
            now: ctx.now,
        },
    )?;
    audit::record(
        conn,
        &ctx,
        Event::new("project_updated", Target::Project(&project)).with(details),
    )?;
    let updated = store::find(conn, project.id)?.ok_or(Error::NotFound(What::Project))?;
    if updated.path != project.path {
        let renamed = json!({ "full_path": [project.full_path(), updated.full_path()] });
        audit::record(
            conn,
            &ctx,
            Event::new("project_renamed", Target::Project(&updated)).with(renamed),
        )?;
    }
    Ok(updated)
}
