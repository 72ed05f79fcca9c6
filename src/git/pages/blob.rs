//! Files.

use actix_web::HttpResponse;

use super::address::Revision;
use super::content::{LONGEST, LOOKED_AT, Sort, is_markdown, size as told_size};
use super::tree::{plain, text, too_large};
use super::{Desk, last_part};
use crate::error::{Error, What};
use crate::git::browse::location::Location;
use crate::git::browse::tree::{Entry, Kind, LARGEST_FILE};
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
        return Ok(call.redirect(&address("tree")));
    }
    let file = match desk.repository.entry(commit, path).await? {
        Some(entry) if entry.kind == Kind::Blob => entry,
        Some(entry) if entry.kind == Kind::Tree => return Ok(call.redirect(&address("tree"))),
        _ => return desk.nothing_there(&spot, What::File).await,
    };
    let mut notes = notes(&file);
    let as_written = call.query.is_ticked("plain");
    let sort = Sort::of(path, &desk.repository.first_bytes(&file, LOOKED_AT).await?);
    let drawing = sort == Sort::Text && is_markdown(path) || sort == Sort::Picture("image/svg+xml");
    let other = drawing.then(|| {
        let (label, plain) = if as_written {
            ("Preview", "")
        } else {
            ("Source", "1")
        };
        let query = ("plain", plain);
        let address = desk.addresses.with("blob", &spot.revision, path, query);
        (label, address)
    });
    let size = file.size.unwrap_or_default();
    let content = match sort {
        _ if size == 0 => Content::Empty,
        _ if size > LARGEST_FILE as u64 => Content::Withheld(
            "This file is too large to be shown: it has more than 10 MiB. It can be downloaded."
                .into(),
        ),
        Sort::Other => Content::Withheld(
            "This file is no text, so that it can't be shown. It can be downloaded.".into(),
        ),
        Sort::Picture(_) if !(drawing && as_written) => Content::Picture(address("raw")),
        _ if size > LONGEST as u64 => too_large(),
        _ => {
            let bytes = desk.repository.content(&file).await?;
            if drawing && as_written {
                plain(&bytes)
            } else {
                text(&desk, &spot, path, bytes).await?
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
        size: told_size(size),
        notes,
        content,
        download: desk
            .addresses
            .with("raw", &spot.revision, path, ("inline", "false")),
        raw: address("raw"),
        history: address("commits"),
        permalink: desk
            .addresses
            .at("blob", &Revision::named(commit.as_str()), path),
        other,
        latest: desk.latest(&spot.location).await,
    })
}

fn notes(file: &Entry) -> Vec<String> {
    match file.mode.as_str() {
        "120000" => vec!["link to another place".into()],
        "100755" => vec!["executable".into()],
        _ => Vec::new(),
    }
}
