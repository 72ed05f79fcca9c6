//! Branches.

use super::objects::BranchObject;
use super::parameters::{BranchListing, NewBranch};
use super::writing::in_full;
use super::{reading, writing_to};
use crate::error::{Error, What};
use crate::git::browse::name;
use crate::git::commit::{creation, deletion, move_reference};
use crate::git::http::leaked;
use crate::web::api::{ApiCall, Listed, Made, NoContent, Shown};

/// `GET …/branches`. By name; none in an empty repository.
pub async fn list(call: ApiCall, asked: BranchListing) -> Result<Listed<BranchObject>, Error> {
    let (project, repository) = reading(&call).await?;
    let page = repository
        .branches(asked.search.as_deref(), asked.paging)
        .await?;
    Ok(Listed(page.map(|branch| {
        BranchObject::of(&call.ctx, &project, branch)
    })))
}

/// `GET …/branches/:branch`.
pub async fn show(call: ApiCall) -> Result<Shown<BranchObject>, Error> {
    let (project, repository) = reading(&call).await?;
    let branch = repository
        .branch(&call.segment("branch"))
        .await?
        .ok_or(Error::NotFound(What::Branch))?;
    Ok(Shown(BranchObject::of(&call.ctx, &project, branch)))
}

/// `POST …/branches`. Developers; the default one, where there is none, Maintainers.
pub async fn create(call: ApiCall, asked: NewBranch) -> Result<Made<BranchObject>, Error> {
    let (project, repository) = writing_to(&call, &asked.branch).await?;
    let told = |text: &str| Error::Told(text.to_owned());
    if !name::is_name(&asked.branch) {
        return Err(told("Branch name is invalid"));
    }
    if repository.branch_id(&asked.branch).await?.is_some() {
        return Err(told("Branch already exists"));
    }
    let commit = repository
        .resolve(Some(&asked.revision))
        .await?
        .ok_or_else(|| Error::Told(format!("Invalid reference name: {}", asked.revision)))?;
    let made = creation(&asked.branch, &commit);
    if call.ctx.policy.settings.refuse_pushed_tokens {
        let leaks = leaked::find_in_name(&call.app, &call.ctx, &project, &made.name).await?;
        if !leaks.is_empty() {
            return Err(Error::Told(leaked::tell(&leaks)));
        }
    }
    in_full(&call, &project, made.clone(), async move || {
        move_reference(&repository, &made).await
    })
    .await?;
    let (project, repository) = reading(&call).await?;
    let branch = repository
        .branch(&asked.branch)
        .await?
        .ok_or(Error::NotFound(What::Branch))?;
    Ok(Made(BranchObject::of(&call.ctx, &project, branch)))
}

/// `DELETE …/branches/:branch`. Developers; never the default one.
pub async fn delete(call: ApiCall) -> Result<NoContent, Error> {
    let name = call.segment("branch");
    let (project, repository) = writing_to(&call, &name).await?;
    let commit = repository
        .branch_id(&name)
        .await?
        .ok_or(Error::NotFound(What::Branch))?;
    if name == project.default_branch {
        return Err(Error::Forbidden(Some(
            "The default branch of a project cannot be deleted".into(),
        )));
    }
    let gone = deletion(&name, &commit);
    in_full(&call, &project, gone.clone(), async move || {
        move_reference(&repository, &gone).await
    })
    .await?;
    Ok(NoContent)
}
