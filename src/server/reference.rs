//! The reference of the API: as a document for programs, and as a page for people. Both are read off the route
//! table.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::routes;
use crate::error::Error;
use crate::instance::COMPATIBLE_WITH;
use crate::web::api::{ApiCall, Shown};
use crate::web::endpoint::{Access, Area};
use crate::web::frame;
use crate::web::openapi::{self, BASE, Place, explained, parameters, section};
use crate::web::page::PageCall;
use crate::web::params::described::{Described, Kind};
use crate::web::views::components::Snippet;
use crate::web::views::reference::{Entry, Parameter, ReferencePage, Section};
use crate::web::views::sidebar;

/// `GET /api/v4/openapi.json`, for everybody.
///
/// # Errors
/// None of its own.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn openapi(call: ApiCall) -> Result<Shown<Value>, Error> {
    /// The same for every request, but for the address of the instance.
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| openapi::document(&routes::all(), "", COMPATIBLE_WITH));
    let mut document = DOCUMENT.clone();
    let url = &call.app.instance.external_url;
    document["servers"][0]["url"] = json!(format!("{url}{BASE}"));
    Ok(Shown(document))
}

/// `GET /help/api`, for everybody (`Anyone`).
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn page(call: PageCall) -> Result<HttpResponse, Error> {
    let url = &call.ctx.instance.external_url;
    let curl =
        |header: &str, rest: &str| format!("curl --header \"{header}\" \"{url}{BASE}{rest}\"");
    let line = |label: &str, text: String| Snippet {
        label: label.into(),
        text,
    };
    call.ok(&ReferencePage {
        shell: frame::shell(&call, "REST API", sidebar::Place::Help),
        document: format!("{BASE}/openapi.json"),
        base: format!("{url}{BASE}"),
        snippets: vec![
            line(
                "With the header PRIVATE-TOKEN",
                curl("PRIVATE-TOKEN: <your token>", "/groups/acme%2Fplatform"),
            ),
            line(
                "With the header Authorization",
                curl("Authorization: Bearer <your token>", "/user"),
            ),
            line(
                "Make a group access token",
                format!(
                    "curl --request POST --header \"PRIVATE-TOKEN: <your token>\" --header \"Content-Type: application/json\" --data '{{\"name\":\"deploy\",\"scopes\":[\"api\"],\"access_level\":30}}' \"{url}{BASE}/groups/acme/access_tokens\""
                ),
            ),
        ],
        sections: sections(&routes::all()),
    })
}

/// The endpoints by section, in the order of the table.
fn sections(areas: &[Area]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for area in areas {
        for endpoint in &area.endpoints {
            let (
                Some(about),
                Access::Api {
                    scope, anonymous, ..
                },
            ) = (&endpoint.about, endpoint.access)
            else {
                continue;
            };
            let path = format!("{}{}", area.prefix, endpoint.path);
            let path = path.strip_prefix(BASE).unwrap_or(&path);
            let entry = Entry {
                method: endpoint.method.as_str().to_owned(),
                path: path.to_owned(),
                summary: about.summary,
                scopes: scope.enough().iter().map(|scope| scope.name()).collect(),
                anonymous,
                parameters: parameters(path, &endpoint.method, about)
                    .into_iter()
                    .map(|(place, described)| parameter(path, place, &described))
                    .collect(),
            };
            let name = section(path);
            match sections.iter_mut().find(|section| section.name == name) {
                Some(section) => section.entries.push(entry),
                None => sections.push(Section {
                    name,
                    entries: vec![entry],
                }),
            }
        }
    }
    sections
}

fn parameter(path: &str, place: Place, described: &Described) -> Parameter {
    let words = |words: &[&str]| words.join(", ");
    Parameter {
        name: described.name,
        in_path: place == Place::Path,
        required: described.required,
        kind: match &described.kind {
            Kind::Text => "text".into(),
            Kind::IdOrPath => "id or path".into(),
            Kind::Integer | Kind::Positive => "number".into(),
            Kind::Within(least, most) => format!("number from {least} to {most}"),
            Kind::Boolean => "true or false".into(),
            Kind::Date => "YYYY-MM-DD".into(),
            Kind::DateTime => "ISO 8601".into(),
            Kind::Word(offered) => words(offered),
            Kind::Words(offered) => format!("list of {}", words(offered)),
            Kind::Number(offered) => offered
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            Kind::Integers => "list of numbers".into(),
            Kind::Texts => "list of texts".into(),
        },
        explanation: explained(path, described.name),
    }
}
