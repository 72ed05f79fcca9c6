//! What lies in folders.

use super::objects::EntryObject;
use super::parameters::TreeListing;
use super::reading;
use crate::db::Page;
use crate::error::{Error, What};
use crate::git::browse::name;
use crate::web::api::{ApiCall, Listed};

/// `GET …/tree`. Folders first; nothing in an empty repository.
pub async fn list(call: ApiCall, asked: TreeListing) -> Result<Listed<EntryObject>, Error> {
    let (_, repository) = reading(&call).await?;
    let missing = || Error::NotFound(What::Tree);
    let path = asked.path.as_deref().map(|path| path.trim_end_matches('/'));
    let path = path.filter(|path| !path.is_empty());
    if path.is_some_and(|path| !name::is_path(path)) {
        return Err(missing());
    }
    let Some(commit) = repository.resolve(asked.revision.as_deref()).await? else {
        if asked.revision.is_none() && path.is_none() && repository.is_empty().await? {
            return Ok(Listed(Page::new(Vec::new(), asked.paging, 0)));
        }
        return Err(missing());
    };
    let page = repository
        .tree(&commit, path, asked.recursive, asked.paging)
        .await?
        .ok_or_else(missing)?;
    Ok(Listed(page.map(EntryObject::from)))
}
