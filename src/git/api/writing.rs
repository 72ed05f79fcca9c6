//! One file written, changed or deleted, by a commit of its own.

use std::path::PathBuf;

use actix_web::rt;

use super::objects::WrittenObject;
use super::parameters::{FileCommit, FileContent};
use super::writing_to;
use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::git::accept;
use crate::git::commit::{self, Change, Draft, Identity, NewCommit};
use crate::git::http::leaked;
use crate::git::push::Command;
use crate::projects::Project;
use crate::web::api::{ApiCall, Made, NoContent, Shown};

/// `POST …/files/:file_path`. Developers; on the default branch Maintainers.
pub async fn create(call: ApiCall, asked: FileContent) -> Result<Made<WrittenObject>, Error> {
    let change = Change::Create(asked.content);
    Ok(Made(write(&call, asked.commit, change).await?))
}

/// `PUT …/files/:file_path`. Developers; on the default branch Maintainers.
pub async fn update(call: ApiCall, asked: FileContent) -> Result<Shown<WrittenObject>, Error> {
    let change = Change::Update(asked.content);
    Ok(Shown(write(&call, asked.commit, change).await?))
}

/// `DELETE …/files/:file_path`. Developers; on the default branch Maintainers.
pub async fn delete(call: ApiCall, asked: FileCommit) -> Result<NoContent, Error> {
    write(&call, asked, Change::Delete).await?;
    Ok(NoContent)
}

async fn write(call: &ApiCall, asked: FileCommit, change: Change) -> Result<WrittenObject, Error> {
    let (project, repository) = writing_to(call, &asked.branch).await?;
    let user = call.ctx.actor.user.as_ref().ok_or_else(Error::forbidden)?;
    let written = WrittenObject {
        file_path: call.segment("file_path"),
        branch: asked.branch.clone(),
    };
    let new = NewCommit {
        branch: asked.branch,
        start_branch: asked.start_branch,
        path: written.file_path.clone(),
        change,
        message: asked.message,
        author: Identity::new(
            asked.author_name.as_deref(),
            asked.author_email.as_deref(),
            user,
        ),
        committer: Identity::new(None, None, user),
        at: call.ctx.now,
        last_commit_id: asked.last_commit_id,
    };
    let root: PathBuf = call.app.repositories.root().to_owned();
    let draft = commit::draft(&repository, &root, &new).await?;
    refuse_tokens(&call.app, &call.ctx, &project, &draft).await?;
    let command = draft.question().commands.remove(0);
    in_full(call, &project, command, async move || {
        commit::publish(&repository, &draft).await
    })
    .await?;
    Ok(written)
}

/// Refuses what brings along a token that works, as for a push.
async fn refuse_tokens(
    app: &App,
    ctx: &Context,
    project: &Project,
    draft: &Draft,
) -> Result<(), Error> {
    if !ctx.policy.settings.refuse_pushed_tokens {
        return Ok(());
    }
    let leaks = leaked::find(app, ctx, project, &draft.question())
        .await
        .map_err(|error| match leaked::unsearchable(&error) {
            Some(why) => Error::Told(why.to_string()),
            None => error,
        })?;
    if leaks.is_empty() {
        Ok(())
    } else {
        Err(Error::Told(leaked::tell(&leaks)))
    }
}

/// Writes a change into the trail and then makes it, as a push does. Whoever asked may go meanwhile: what is written is
/// done, or written to be not done.
///
/// # Errors
/// As [`accept::accept`]; [`Error::Conflict`] when the branch isn't where it was any more.
pub(super) async fn in_full(
    call: &ApiCall,
    project: &Project,
    command: Command,
    change: impl AsyncFnOnce() -> Result<bool, Error> + 'static,
) -> Result<(), Error> {
    let (app, ctx, project) = (call.app.clone(), call.ctx.clone(), project.clone());
    let work = async move {
        let (commands, accepting, id) = (vec![command], ctx.clone(), project.id);
        let asked = commands.clone();
        app.db
            .write(move |conn| accept::accept(conn, &accepting, id, &asked))
            .await?;
        let changed = change().await;
        if matches!(changed, Ok(true)) {
            return Ok(());
        }
        app.db
            .write(move |conn| accept::note_unchanged(conn, &ctx, &project, &commands))
            .await?;
        changed?;
        Err(Error::Conflict(
            "The branch could not be updated: it may have changed meanwhile. Please refresh and try again.".into(),
        ))
    };
    rt::spawn(work)
        .await
        .map_err(|error| Error::internal(error.into()))?
}
