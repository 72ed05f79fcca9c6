//! Static files: in the binary, under names that change with their contents.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::views::shell::Assets;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// A file as it is sent.
struct Sent {
    content_type: &'static str,
    body: Bytes,
}

/// A name with its hash to the file as it is sent.
static FILES: LazyLock<HashMap<String, Sent>> = LazyLock::new(|| {
    Static::iter()
        .filter_map(|name| {
            let sent = Sent {
                content_type: content_type(&name),
                body: body(&name)?,
            };
            Some((hashed(&name), sent))
        })
        .collect()
});

/// The contents of a file as they are sent: a style sheet without its comments and the space between its rules.
pub(super) fn body(name: &str) -> Option<Bytes> {
    let file = Static::get(name)?;
    let small = str::from_utf8(&file.data)
        .ok()
        .filter(|_| name.ends_with(".css"))
        .and_then(|text| minifier::css::minify(text).ok())
        .map(|text| Bytes::from(text.to_string()));
    Some(small.unwrap_or_else(|| Bytes::from(file.data.into_owned())))
}

/// The addresses of what every page needs.
pub static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    css: address("application.css"),
    js: address("application.js"),
    icons: address("icons.svg"),
    favicon: address("favicon.svg"),
});

fn address(name: &str) -> String {
    format!("/assets/{}", hashed(name))
}

/// `application.css` as `application-1a2b3c4d5e6f.css`.
fn hashed(name: &str) -> String {
    let hash = body(name)
        .map(|body| hex::encode(Sha256::digest(&body)))
        .unwrap_or_default();
    let short = hash.get(..12).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{short}.{ending}"),
        None => format!("{name}-{short}"),
    }
}

/// `GET /assets/{name}`.
pub async fn serve(req: HttpRequest) -> HttpResponse {
    let name = req.match_info().query("name");
    match FILES.get(name) {
        Some(file) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((CONTENT_TYPE, file.content_type))
            .body(file.body.clone()),
        None => HttpResponse::NotFound()
            .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
            .body("404 Not Found\n"),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
