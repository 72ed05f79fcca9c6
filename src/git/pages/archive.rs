//! All files of a revision in one file.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;

use super::address::Revision;
use super::raw::disposition;
use super::{Desk, last_part};
use crate::error::{Error, What};
use crate::git::browse::archive::{Format, folder};
use crate::git::browse::location::Kind;
use crate::git::browse::still_may_read;
use crate::web::page::PageCall;

/// What is offered, as GitLab names it.
const OFFERED: [Format; 3] = [Format::Zip, Format::TarGz, Format::Tar];

/// Labels and addresses of the archives of a revision.
pub(super) fn offers(desk: &Desk<'_>, revision: &Revision) -> Vec<(&'static str, String)> {
    let plain = revision.name.replace('/', "-");
    OFFERED
        .into_iter()
        .map(|format| {
            let file = format!("{}-{plain}.{}", desk.project.path, format.ending());
            (format.ending(), desk.addresses.archive(revision, &file))
        })
        .collect()
}

/// `GET /{full_path}/-/archive/:revision/:file_name` (`ReadCode`): the ending of the name says which format.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn download(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let missing = || Error::NotFound(What::File);
    let rest = call.decoded("rest");
    let (revision, file_name) = rest
        .trim_start_matches('/')
        .rsplit_once('/')
        .ok_or_else(missing)?;
    let format = OFFERED
        .into_iter()
        .find(|format| file_name.ends_with(&format!(".{}", format.ending())))
        .ok_or_else(missing)?;
    let kind = Kind::parse(call.query.text("ref_type"));
    let location = desk
        .repository
        .locate(revision, kind)
        .await?
        .filter(|location| location.path.is_empty())
        .ok_or_else(missing)?;
    let within = folder(
        &desk.project.path,
        &location.revision,
        &location.commit,
        None,
    );
    let command = desk
        .repository
        .archive(&location.commit, None, &within, format);
    let watch = still_may_read(&call.app, &call.ctx, desk.project.id);
    let output = desk.repository.stream(command, call.app.git_times, watch)?;
    Ok(HttpResponse::Ok()
        .insert_header((
            CONTENT_DISPOSITION,
            disposition(last_part(file_name), false),
        ))
        .content_type("application/octet-stream")
        .streaming(output))
}
