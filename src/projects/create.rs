//! Making projects.

use serde_json::json;

use super::Project;
use super::store::{self, NewProject};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors};
use crate::groups::create::{check_description, checked_name, wider_than_parent};
use crate::groups::path::{PathSegment, Place as Segment, suggest};
use crate::groups::turn::locked;
use crate::groups::{Group, Visibility};
use crate::permissions::Right;

/// A project as somebody asks for it: a name or a path is needed, the other follows from it.
#[derive(Debug, Clone, Default)]
pub struct NewProjectForm {
    /// As shown.
    pub name: Option<String>,
    /// The last segment.
    pub path: Option<String>,
    /// What it is for.
    pub description: String,
    /// Nothing: the instance's default, or as narrow as the namespace.
    pub visibility: Option<Visibility>,
}

/// Makes a project in a group (Developers and up) or in one's own namespace.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field.
pub fn create(
    conn: &mut DbConnection,
    ctx: &Context,
    namespace: &Group,
    form: &NewProjectForm,
) -> Result<Project, Error> {
    let (namespace, ctx) = locked(conn, ctx, namespace)?;
    if !ctx
        .actor
        .may(Right::CreateProject, &namespace.place(), &ctx.policy)
    {
        return Err(Error::forbidden());
    }
    let mut errors = FieldErrors::default();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let shown = given(&form.name)
        .or_else(|| given(&form.path))
        .unwrap_or_default();
    let name = checked_name(&shown, &mut errors);
    let path = given(&form.path)
        .or_else(|| suggest(&shown, Segment::Below).map(|segment| segment.to_string()))
        .unwrap_or_default();
    if let Err(problem) = PathSegment::parse(&path, Segment::Below) {
        errors.add("path", problem.to_string());
    }
    check_description(&form.description, &mut errors);
    let ceiling = namespace.visibility;
    let visibility = form
        .visibility
        .unwrap_or_else(|| ctx.policy.settings.default_project_visibility.min(ceiling));
    if !visibility.within(ceiling) {
        errors.add("visibility", wider_than_parent(visibility, ceiling));
    }
    errors.check()?;
    let project = store::insert(
        conn,
        &NewProject {
            namespace: &namespace,
            name: &name,
            path: &path,
            description: form.description.trim(),
            visibility,
            creator_id: ctx.actor.user_id(),
            now: ctx.now,
        },
    )?;
    audit::record(
        conn,
        &ctx,
        Event::new("project_created", Target::Project(&project)).with(
            json!({ "full_path": project.full_path(), "visibility": project.visibility.name() }),
        ),
    )?;
    Ok(project)
}
