//! `/api/v4/projects/:id/repository`: what programs ask of code without cloning it.

mod archive;
mod branches;
mod commits;
mod files;
mod objects;
mod parameters;
mod tags;
mod tree;
mod writing;

pub use archive::{formatted as archive_as, plain as archive};
pub use branches::{
    create as create_branch, delete as delete_branch, list as branches, show as branch,
};
pub use commits::{list as commits, show as commit};
pub use files::{raw, show as file};
pub use tags::{list as tags, show as tag};
pub use tree::list as tree;
pub use writing::{create as create_file, delete as delete_file, update as update_file};

use super::Service;
use super::access;
use super::browse::Opened;
use crate::error::Error;
use crate::projects::Project;
use crate::projects::store::ProjectRef;
use crate::web::api::ApiCall;

/// The project of a call that may read its code, and its repository.
async fn reading(call: &ApiCall) -> Result<(Project, Opened), Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    let project = call
        .read(move |conn, ctx| access::readable(conn, ctx, &name))
        .await?;
    let repository = Opened::open(&call.app, &call.ctx, &project).await?;
    Ok((project, repository))
}

/// The project of a call that may push to this branch, and its repository.
async fn writing_to(call: &ApiCall, branch: &str) -> Result<(Project, Opened), Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    let granted = call
        .read(move |conn, ctx| access::authorize(conn, ctx, &name, Service::ReceivePack))
        .await?;
    if branch == granted.project.default_branch && !granted.maintains {
        return Err(Error::Forbidden(Some(
            "You are not allowed to push into this branch".into(),
        )));
    }
    let repository = Opened::open(&call.app, &call.ctx, &granted.project).await?;
    Ok((granted.project, repository))
}
