//! The bytes of a file, so that whatever is in it does nothing in the name of this site.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, Charset, ContentDisposition, DispositionParam,
    DispositionType, ExtendedValue,
};

use super::content::Sort;
use super::{Desk, last_part};
use crate::error::{Error, What};
use crate::git::browse::location::Location;
use crate::git::browse::still_may_read;
use crate::git::browse::tree::{Kind, LARGEST_FILE};
use crate::web::page::PageCall;

/// For a document that a browser shows by itself: it runs nothing, loads nothing, and belongs to no site.
const ALONE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// `GET /{full_path}/-/raw/…` (`ReadCode`): the bytes of a file of a branch, tag or commit. `?inline=false` saves them.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let missing = || Error::NotFound(What::File);
    let spot = desk.spot().await?.ok_or_else(missing)?;
    let Location { commit, path, .. } = &spot.location;
    let folder = desk.addresses.at("tree", &spot.revision, path);
    if path.is_empty() {
        return Ok(call.redirect(&folder));
    }
    let file = match desk.repository.entry(commit, path).await? {
        Some(entry) if entry.kind == Kind::Blob => entry,
        Some(entry) if entry.kind == Kind::Tree => return Ok(call.redirect(&folder)),
        _ => return Err(missing()),
    };
    let name = last_part(path).to_owned();
    let mut res = HttpResponse::Ok();
    res.insert_header((CONTENT_SECURITY_POLICY, ALONE));
    if file.size.is_none_or(|size| size > LARGEST_FILE as u64) {
        res.insert_header((CONTENT_DISPOSITION, disposition(&name, false)));
        res.content_type("application/octet-stream");
        let watch = still_may_read(&call.app, &call.ctx, desk.project.id);
        let command = desk.repository.blob(&file);
        let output = desk.repository.stream(command, call.app.git_times, watch)?;
        return Ok(res.streaming(output));
    }
    let bytes = desk.repository.content(&file).await?;
    let (kind, shown) = match Sort::of(&name, &bytes) {
        Sort::Text => ("text/plain; charset=utf-8", true),
        Sort::OldText => ("text/plain; charset=windows-1252", true),
        Sort::Picture(kind) => (kind, true),
        Sort::Other => ("application/octet-stream", false),
    };
    let shown = shown && call.query.text("inline") != "false";
    res.insert_header((CONTENT_DISPOSITION, disposition(&name, shown)));
    res.content_type(kind);
    Ok(res.body(bytes))
}

/// Shown or saved, under the file's own name.
pub(super) fn disposition(name: &str, shown: bool) -> ContentDisposition {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_control() { '_' } else { letter })
        .collect();
    let parameter = if name.is_ascii() {
        DispositionParam::Filename(name)
    } else {
        DispositionParam::FilenameExt(ExtendedValue {
            charset: Charset::Ext("UTF-8".into()),
            language_tag: None,
            value: name.into_bytes(),
        })
    };
    ContentDisposition {
        disposition: if shown {
            DispositionType::Inline
        } else {
            DispositionType::Attachment
        },
        parameters: vec![parameter],
    }
}
