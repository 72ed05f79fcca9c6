//! The history.

use super::objects::{CommitDetailObject, CommitObject};
use super::parameters::{CommitAt, CommitListing};
use super::reading;
use crate::db::Page;
use crate::error::{Error, What};
use crate::git::browse::log::Filter;
use crate::git::browse::name;
use crate::web::api::{ApiCall, Listed, Shown};

/// `GET …/commits`. The latest first; none in an empty repository. How many there are is not counted.
pub async fn list(call: ApiCall, asked: CommitListing) -> Result<Listed<CommitObject>, Error> {
    let (project, repository) = reading(&call).await?;
    let path = asked.path.as_deref().map(|path| path.trim_end_matches('/'));
    let path = path.filter(|path| !path.is_empty());
    let nothing = || Ok(Listed(Page::new(Vec::new(), asked.paging, 0)));
    let Some(commit) = repository.resolve(asked.revision.as_deref()).await? else {
        if asked.revision.is_none() && repository.is_empty().await? {
            return nothing();
        }
        return Err(Error::NotFound(What::Commit));
    };
    if path.is_some_and(|path| !name::is_path(path)) {
        return nothing();
    }
    let filter = Filter {
        path: path.map(str::to_owned),
        since: asked.since,
        until: asked.until,
    };
    let page = repository.log(&commit, &filter, asked.paging).await?;
    Ok(Listed(page.map(|commit| {
        CommitObject::of(&call.ctx, &project, commit)
    })))
}

/// `GET …/commits/:sha`, by its id, the beginning of it, a branch or a tag.
pub async fn show(call: ApiCall, asked: CommitAt) -> Result<Shown<CommitDetailObject>, Error> {
    let (project, repository) = reading(&call).await?;
    let missing = || Error::NotFound(What::Commit);
    let id = repository
        .resolve(Some(&call.segment("sha")))
        .await?
        .ok_or_else(missing)?;
    let commit = repository.commit(&id).await?.ok_or_else(missing)?;
    let stats = match asked.stats {
        true => Some(repository.stats(&id).await?),
        false => None,
    };
    Ok(Shown(CommitDetailObject::of(
        &call.ctx, &project, commit, stats,
    )))
}
