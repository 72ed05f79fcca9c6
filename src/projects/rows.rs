//! Projects as rows of lists.

use super::Project;
use crate::context::Context;
use crate::groups::rows::role;
use crate::web::views::projects::ProjectRow;

/// The row of a project.
pub fn row(ctx: &Context, project: &Project) -> ProjectRow {
    ProjectRow {
        name: project.name.clone(),
        full_path: project.full_path(),
        description: project.description.clone(),
        visibility: project.visibility.into(),
        role: role(&ctx.actor, &project.place()),
    }
}
