//! Smart HTTP: what programs of Git ask for.

mod answers;
mod caller;
mod input;
mod keeper;
pub(in crate::git) mod leaked;
mod receive;
mod serve;

use std::future::Future;

use actix_web::http::{Method, header};
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::Service;
use super::service::speaks_version_2;
use crate::app::App;
use crate::error::Error;
use crate::permissions::Right;
use crate::web::endpoint::{Access, Endpoint};
use caller::Caller;
use input::Input;

/// What may be done over Git; each service asks for its own.
const RIGHTS: &[Right] = &[
    Right::SeeProject,
    Right::ReadCode,
    Right::PushCode,
    Right::PushToProtectedBranch,
];

/// A request of a program of Git.
pub struct GitCall {
    /// The application.
    pub app: App,
    /// The request.
    pub req: HttpRequest,
    /// Its body, until somebody takes it.
    pub payload: Option<Payload>,
}

/// An endpoint for programs of Git.
pub fn endpoint<F, Fut>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(GitCall) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<HttpResponse, Error>> + 'static,
{
    let build = move || {
        web::route().to(
            move |app: web::Data<App>, req: HttpRequest, payload: Payload| async move {
                let call = GitCall {
                    app: app.get_ref().clone(),
                    req,
                    payload: Some(payload),
                };
                match handler(call).await {
                    Ok(answer) => answer,
                    Err(error) => answers::refuse(&error),
                }
            },
        )
    };
    Endpoint::new(method, path, Access::Git { rights: RIGHTS }, build)
}

impl GitCall {
    fn full_path(&self) -> String {
        self.req.match_info().query("full_path").to_owned()
    }

    /// The service that the query asks for; the old protocol, in which clients fetch files, asks for none.
    fn service_asked_for(&self) -> Option<Service> {
        let query = self.req.uri().query().unwrap_or_default();
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix("service="))
            .and_then(Service::parse)
    }

    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.req.headers().get(name)?.to_str().ok()
    }

    fn protocol(&self) -> Option<&str> {
        super::service::protocol(self.req.headers().get("git-protocol")?.to_str().ok()?)
    }
}

/// `GET …/info/refs?service=…`: which branches and tags there are, or what the server can do.
///
/// # Errors
/// As [`super::access::authorize`]; [`Error::Unavailable`] when Git can't be run.
pub async fn info_refs(call: GitCall) -> Result<HttpResponse, Error> {
    let Some(service) = call.service_asked_for() else {
        return Ok(answers::not_allowed());
    };
    let caller = Caller::of(&call, service).await?;
    let granted = caller.authorize(&call.full_path()).await?;
    let version_2 = service == Service::UploadPack && speaks_version_2(call.protocol());
    let head = (!version_2).then(|| answers::service_line(service));
    let run = serve::Run::new(&call, &caller, granted, service).await?;
    let output = run.advertise(head)?;
    Ok(answers::advertisement(service).streaming(output))
}

/// `HEAD …/info/refs`: there is nothing to tell without a body.
///
/// # Errors
/// None.
pub async fn no_head(_: GitCall) -> Result<HttpResponse, Error> {
    Ok(answers::not_allowed())
}

/// `POST …/git-upload-pack`: what a clone or fetch is made of.
///
/// # Errors
/// As [`info_refs`].
pub async fn upload_pack(mut call: GitCall) -> Result<HttpResponse, Error> {
    let service = Service::UploadPack;
    let caller = Caller::of(&call, service).await?;
    let granted = caller.authorize(&call.full_path()).await?;
    if call.header(header::CONTENT_TYPE) != Some("application/x-git-upload-pack-request") {
        return Ok(answers::wrong_type());
    }
    let input = Input::of(&mut call, input::REQUEST_MAX);
    let run = serve::Run::new(&call, &caller, granted, service).await?;
    let output = run.answer(input.into_stream())?;
    Ok(answers::result(service).streaming(output))
}

/// `POST …/git-receive-pack`: a push.
///
/// # Errors
/// As [`info_refs`].
pub async fn receive_pack(call: GitCall) -> Result<HttpResponse, Error> {
    let caller = Caller::of(&call, Service::ReceivePack).await?;
    let granted = caller.authorize(&call.full_path()).await?;
    if call.header(header::CONTENT_TYPE) != Some("application/x-git-receive-pack-request") {
        return Ok(answers::wrong_type());
    }
    receive::push(call, caller, granted).await
}

/// The address without `.git`: clients follow to the one with it.
///
/// # Errors
/// None.
pub async fn to_git_address(call: GitCall) -> Result<HttpResponse, Error> {
    let query = call.req.uri().query().map(|query| format!("?{query}"));
    let path = here(&call, "/info/refs");
    let target = format!("{path}.git/info/refs{}", query.unwrap_or_default());
    Ok(HttpResponse::MovedPermanently()
        .insert_header((header::LOCATION, target))
        .finish())
}

/// Large files beside a repository: not yet.
///
/// # Errors
/// None.
pub async fn no_large_files(_: GitCall) -> Result<HttpResponse, Error> {
    Ok(HttpResponse::NotFound()
        .content_type("application/vnd.git-lfs+json")
        .body(json!({ "message": "Git LFS is not offered here." }).to_string()))
}

/// A clone address, opened in a browser: the project's page.
///
/// # Errors
/// None.
pub async fn to_project(call: GitCall) -> Result<HttpResponse, Error> {
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, here(&call, ".git")))
        .finish())
}

/// The path of this request without its end, fit for a redirect: it begins with one slash, so that it names no host.
fn here(call: &GitCall, end: &str) -> String {
    let path = call.req.uri().path();
    let path = path.strip_suffix(end).unwrap_or(path);
    format!("/{}", path.trim_start_matches(['/', '\\']))
}
