//! Tags.

use super::objects::TagObject;
use super::parameters::TagListing;
use super::reading;
use crate::error::{Error, What};
use crate::web::api::{ApiCall, Listed, Shown};

/// `GET …/tags`. The latest first; none in an empty repository.
pub async fn list(call: ApiCall, asked: TagListing) -> Result<Listed<TagObject>, Error> {
    let (project, repository) = reading(&call).await?;
    let search = asked.search.as_deref();
    let page = repository
        .tags(search, asked.order, asked.descending, asked.paging)
        .await?;
    Ok(Listed(
        page.map(|tag| TagObject::of(&call.ctx, &project, tag)),
    ))
}

/// `GET …/tags/:tag_name`.
pub async fn show(call: ApiCall) -> Result<Shown<TagObject>, Error> {
    let (project, repository) = reading(&call).await?;
    let tag = repository
        .tag(&call.segment("tag_name"))
        .await?
        .ok_or(Error::NotFound(What::Tag))?;
    Ok(Shown(TagObject::of(&call.ctx, &project, tag)))
}
