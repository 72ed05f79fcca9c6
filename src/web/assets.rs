//! Static files: in the binary, under names that change with their contents.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use super::views::shell::Assets;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// A name with its hash to the file's own name.
static FILES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    Static::iter()
        .map(|name| (hashed(&name), name.into_owned()))
        .collect()
});

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
    let hash = Static::get(name)
        .map(|file| hex::encode(file.metadata.sha256_hash()))
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
    let file = FILES
        .get(name)
        .and_then(|name| Some((name, Static::get(name)?)));
    match file {
        Some((name, file)) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((CONTENT_TYPE, content_type(name)))
            .body(file.data.into_owned()),
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
