//! Files.

use actix_web::HttpResponse;

use super::address::Revision;
use super::content::{Sort, is_markdown, size};
use super::tree::{plain, text};
use super::{Desk, elsewhere, last_part};
use crate::error::{Error, What};
use crate::git::browse::location::Location;
use crate::git::browse::tree::{Entry, Kind};
use crate::projects::frame;
use crate::web::page::PageCall;
use crate::web::views::code::{BlobPage, Content};
use crate::web::views::sidebar::Place;

/// `GET /{full_path}/-/blob/…` (`ReadCode`): a file of a branch, tag or commit. `?plain=1` shows what would be drawn
/// as it was written.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let missing = || Error::NotFound(What::File);
    let spot = desk.spot().await?.ok_or_else(missing)?;
    let Location { commit, path, .. } = &spot.location;
    let address = |page: &str| desk.addresses.at(page, &spot.revision, path);
    if path.is_empty() {
        return Ok(elsewhere(&call, &address("tree")));
    }
    let file = match desk.repository.entry(commit, path).await? {
        Some(entry) if entry.kind == Kind::Blob => entry,
        Some(entry) if entry.kind == Kind::Tree => return Ok(elsewhere(&call, &address("tree"))),
        _ => return Err(missing()),
    };
    let mut notes = notes(&file);
    let as_written = call.query.is_ticked("plain");
    let mut other = None;
    let content = match desk.repository.content(&file).await {
        Err(Error::Refused(_)) => Content::Withheld(
            "This file is too large to be shown: it has more than 10 MiB. It can be downloaded."
                .into(),
        ),
        Err(error) => return Err(error),
        Ok(bytes) if bytes.is_empty() => Content::Empty,
        Ok(bytes) => {
            let sort = Sort::of(path, &bytes);
            let drawing =
                sort == Sort::Text && is_markdown(path) || sort == Sort::Picture("image/svg+xml");
            if drawing {
                let here = desk.addresses.up_to("blob", &spot.revision, path);
                let kind = spot.revision.ref_type();
                let plain = if as_written { "" } else { "1" };
                let label = if as_written { "Preview" } else { "Source" };
                let query = [("ref_type", kind), ("plain", plain)];
                other = Some((label, crate::web::lists::address(&here, &query)));
            }
            match sort {
                _ if drawing && as_written => plain(&bytes),
                Sort::Text => text(&desk, &spot, path, bytes).await?,
                Sort::Picture(_) => Content::Picture(address("raw")),
                Sort::Other => Content::Withheld(
                    "This file is no text, so that it can't be shown. It can be downloaded.".into(),
                ),
            }
        }
    };
    if let Content::Text(lines) = &content {
        let ending = if lines.len() == 1 { "" } else { "s" };
        notes.push(format!("{} line{ending}", lines.len()));
    }
    call.ok(&BlobPage {
        shell: frame::shell(&call, &desk.project, path, Place::Files),
        at: desk.whereabouts(&spot, "tree", "blob").await?,
        name: last_part(path).to_owned(),
        size: size(file.size.unwrap_or_default()),
        notes,
        content,
        raw: address("raw"),
        history: address("commits"),
        permalink: desk
            .addresses
            .at("blob", &Revision::named(commit.as_str()), path),
        other,
        latest: desk.latest(&spot.location).await?,
    })
}

fn notes(file: &Entry) -> Vec<String> {
    match file.mode.as_str() {
        "120000" => vec!["link to another place".into()],
        "100755" => vec!["executable".into()],
        _ => Vec::new(),
    }
}
