//! A whole commit in one file.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::parameters::ArchiveOf;
use super::reading;
use crate::error::{Error, What};
use crate::git::browse::archive::{Format, folder};
use crate::git::browse::{name, still_may_read};
use crate::git::process::Output;
use crate::web::api::{Answer, ApiCall};
use crate::web::openapi::Answers;

/// An archive on its way.
pub struct Archive {
    output: Output,
    file_name: String,
    format: Format,
}

/// `GET …/archive`: as `.tar.gz`.
pub async fn plain(call: ApiCall, asked: ArchiveOf) -> Result<Archive, Error> {
    send(call, asked, Format::TarGz).await
}

/// `GET …/archive.:format`.
pub async fn formatted(call: ApiCall, asked: ArchiveOf) -> Result<Archive, Error> {
    let format = Format::parse(&call.segment("format")).ok_or(Error::NotFound(What::Thing))?;
    send(call, asked, format).await
}

async fn send(call: ApiCall, asked: ArchiveOf, format: Format) -> Result<Archive, Error> {
    let (project, repository) = reading(&call).await?;
    let revision = asked.revision.as_deref();
    let commit = repository
        .resolve(revision)
        .await?
        .ok_or(Error::NotFound(What::File))?;
    let path = asked.path.as_deref().map(|path| path.trim_end_matches('/'));
    let path = path.filter(|path| !path.is_empty());
    if let Some(path) = path
        && (!name::is_path(path) || repository.entry(&commit, path).await?.is_none())
    {
        return Err(Error::NotFound(What::File));
    }
    let revision = revision
        .filter(|revision| *revision != "HEAD")
        .unwrap_or(&project.default_branch);
    let folder = folder(&project.path, revision, &commit, path);
    let command = repository.archive(&commit, path, &folder, format);
    let times = call.app.git_times;
    let watch = still_may_read(&call.app, &call.ctx, project.id);
    Ok(Archive {
        output: repository.stream(command, times, watch)?,
        file_name: format!("{folder}.{}", format.ending()),
        format,
    })
}

const ZIP: &str = "application/zip";
const OTHER: &str = "application/octet-stream";

impl Answer for Archive {
    fn describe(answers: &mut Answers) {
        answers.bytes("The archive", &[OTHER, ZIP]);
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        let mut res = HttpResponse::Ok();
        res.content_type(if self.format == Format::Zip {
            ZIP
        } else {
            OTHER
        });
        let safe: String = self
            .file_name
            .chars()
            .map(|letter| match letter {
                '"' | '\\' => '_',
                letter if letter.is_control() => '_',
                letter => letter,
            })
            .collect();
        let disposition = format!("attachment; filename=\"{safe}\"");
        if let Ok(value) = HeaderValue::from_bytes(disposition.as_bytes()) {
            res.insert_header((CONTENT_DISPOSITION, value));
        }
        res.streaming(self.output)
    }
}
