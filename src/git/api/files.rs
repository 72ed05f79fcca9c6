//! Files, one by one.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::objects::FileObject;
use super::parameters::{FileAt, RawFileAt};
use super::reading;
use crate::error::{Error, What};
use crate::git::browse::tree::Kind;
use crate::git::browse::{Opened, name};
use crate::web::api::{Answer, ApiCall, Shown};
use crate::web::openapi::Answers;

/// A file with all that is known of it, which is said in headers too.
#[derive(Debug)]
pub struct FileShown(FileObject);

/// The bytes of a file, and in headers all that is known of it.
#[derive(Debug)]
pub struct FileSent {
    about: FileObject,
    content: Vec<u8>,
}

/// `GET …/files/:file_path`, and `HEAD` for its headers alone.
pub async fn show(call: ApiCall, asked: FileAt) -> Result<FileShown, Error> {
    let (_, repository) = reading(&call).await?;
    let path = call.segment("file_path");
    let FileSent { about, content } = find(&repository, &path, asked.revision).await?;
    Ok(FileShown(about.with_content(STANDARD.encode(content))))
}

/// `GET …/files/:file_path/raw`.
pub async fn raw(call: ApiCall, asked: RawFileAt) -> Result<FileSent, Error> {
    let (_, repository) = reading(&call).await?;
    let path = call.segment("file_path");
    let revision = asked.revision.unwrap_or_else(|| "HEAD".to_owned());
    find(&repository, &path, revision).await
}

async fn find(repository: &Opened, path: &str, revision: String) -> Result<FileSent, Error> {
    let missing = || Error::NotFound(What::File);
    if !name::is_path(path) {
        return Err(missing());
    }
    let commit = repository
        .resolve(Some(&revision))
        .await?
        .ok_or(Error::NotFound(What::Commit))?;
    let entry = repository
        .entry(&commit, path)
        .await?
        .filter(|entry| entry.kind == Kind::Blob)
        .ok_or_else(missing)?;
    let content = repository.content(&entry).await?;
    let last_commit_id = repository.last_change(&commit, path).await?;
    Ok(FileSent {
        about: FileObject {
            file_name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            file_path: path.to_owned(),
            size: content.len(),
            encoding: "base64",
            content_sha256: hex::encode(Sha256::digest(&content)),
            revision,
            blob_id: entry.id,
            last_commit_id: last_commit_id.unwrap_or_else(|| commit.clone()),
            commit_id: commit,
            execute_filemode: entry.mode == "100755",
            content: String::new(),
        },
        content,
    })
}

/// All that is known of a file but its bytes.
fn add_headers(res: &mut HttpResponseBuilder, file: &FileObject) {
    let size = file.size.to_string();
    let executable = file.execute_filemode.to_string();
    for (name, value) in [
        ("x-gitlab-blob-id", &file.blob_id),
        ("x-gitlab-commit-id", &file.commit_id),
        ("x-gitlab-content-sha256", &file.content_sha256),
        ("x-gitlab-encoding", &file.encoding.to_owned()),
        ("x-gitlab-execute-filemode", &executable),
        ("x-gitlab-file-name", &file.file_name),
        ("x-gitlab-file-path", &file.file_path),
        ("x-gitlab-last-commit-id", &file.last_commit_id),
        ("x-gitlab-ref", &file.revision),
        ("x-gitlab-size", &size),
    ] {
        // A name with a line end in it can't stand in a header.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            res.insert_header((HeaderName::from_static(name), value));
        }
    }
}

impl Answer for FileShown {
    fn describe(answers: &mut Answers) {
        Shown::<FileObject>::describe(answers);
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        let mut res = HttpResponse::Ok();
        add_headers(&mut res, &self.0);
        res.json(self.0)
    }
}

/// What is text, and what isn't.
const TYPES: [&str; 2] = ["text/plain; charset=utf-8", "application/octet-stream"];

impl Answer for FileSent {
    fn describe(answers: &mut Answers) {
        answers.bytes("The bytes of the file", &["text/plain", TYPES[1]]);
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        let is_text = std::str::from_utf8(&self.content).is_ok() && !self.content.contains(&0);
        let mut res = HttpResponse::Ok();
        add_headers(&mut res, &self.about);
        // Never shown as a page of ours, whatever is in it.
        res.insert_header((CONTENT_DISPOSITION, "attachment"));
        res.content_type(TYPES[usize::from(!is_text)]);
        res.body(self.content)
    }
}
