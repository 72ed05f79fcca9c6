//! What endpoints answer with when all goes well. Each kind knows its status and its headers, and can tell
//! the document of the API what it looks like.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LINK};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::json;
use utoipa::ToSchema;

use crate::db::{Page, Paging};
use crate::web::openapi::Answers;
use crate::web::pagination;

/// A way to answer.
pub trait Answer {
    /// Tells the document what the answers look like.
    fn describe(answers: &mut Answers);

    /// Answers `req`; links in headers lead below `external_url`.
    fn respond(self, req: &HttpRequest, external_url: &str) -> HttpResponse;
}

/// 200, and what was asked for.
#[derive(Debug)]
pub struct Shown<T>(pub T);

/// 201, and what was made.
#[derive(Debug)]
pub struct Made<T>(pub T);

/// 202: it is done, and there is nothing more to see.
#[derive(Debug)]
pub struct Accepted;

/// 204.
#[derive(Debug)]
pub struct NoContent;

/// 200 and one page of a list, by its number.
#[derive(Debug)]
pub struct Listed<T>(pub Page<T>);

/// 200 and one page of a list that can be read in two ways.
#[derive(Debug)]
pub enum Paged<T> {
    /// By its number, with the headers that say where it is.
    Page(Page<T>),
    /// What follows a row. `next` is the query of the page after this one.
    Keyset {
        /// The rows.
        rows: Vec<T>,
        /// What to ask for next: a name and a value, beside all other parameters.
        next: Option<(&'static str, String)>,
    },
}

impl<T> Paged<T> {
    /// A page in the way that was asked for; `next` is what a page after it would be asked for with.
    pub fn of(paging: Paging, page: Page<T>, next: Option<(&'static str, String)>) -> Self {
        if paging.keyset {
            Paged::Keyset {
                next: next.filter(|_| page.has_next),
                rows: page.rows,
            }
        } else {
            Paged::Page(page)
        }
    }
}

/// The answer to making a token.
pub enum Minted<T, W> {
    /// 201, with the value: the one answer that has it.
    New(W),
    /// 200, without: the same request was answered before.
    Replayed(T),
}

/// 200 with a new value: the one answer that has it.
pub struct Rotated<W>(pub W);

impl<T: Serialize + ToSchema> Answer for Shown<T> {
    fn describe(answers: &mut Answers) {
        answers.with::<T>(StatusCode::OK, "What was asked for");
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl<T: Serialize + ToSchema> Answer for Made<T> {
    fn describe(answers: &mut Answers) {
        answers.with::<T>(StatusCode::CREATED, "What was made");
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        HttpResponse::Created().json(self.0)
    }
}

impl Answer for Accepted {
    fn describe(answers: &mut Answers) {
        answers.with::<Message>(StatusCode::ACCEPTED, "It is done");
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        HttpResponse::Accepted().json(json!({ "message": "202 Accepted" }))
    }
}

impl Answer for NoContent {
    fn describe(answers: &mut Answers) {
        answers.empty(StatusCode::NO_CONTENT, "It is done");
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl<T: Serialize + ToSchema> Answer for Listed<T> {
    fn describe(answers: &mut Answers) {
        answers.list::<T>();
    }

    fn respond(self, req: &HttpRequest, external_url: &str) -> HttpResponse {
        let (path, query) = (req.uri().path(), req.uri().query().unwrap_or_default());
        let mut res = HttpResponse::Ok();
        pagination::add_headers(&mut res, &self.0, external_url, path, query);
        res.json(self.0.rows)
    }
}

impl<T: Serialize + ToSchema> Answer for Paged<T> {
    fn describe(answers: &mut Answers) {
        answers.list::<T>();
        // An order that pages can't be counted off in.
        answers.refuse(StatusCode::METHOD_NOT_ALLOWED);
    }

    fn respond(self, req: &HttpRequest, external_url: &str) -> HttpResponse {
        match self {
            Paged::Page(page) => Listed(page).respond(req, external_url),
            Paged::Keyset { rows, next } => {
                let mut res = HttpResponse::Ok();
                if let Some((name, value)) = next {
                    let (path, query) = (req.uri().path(), req.uri().query().unwrap_or_default());
                    let link = pagination::next_link(external_url, path, query, name, &value);
                    res.insert_header((LINK, link));
                }
                res.json(rows)
            }
        }
    }
}

impl<T, W> Answer for Minted<T, W>
where
    T: Serialize + ToSchema,
    W: Serialize + ToSchema,
{
    fn describe(answers: &mut Answers) {
        answers.with::<W>(
            StatusCode::CREATED,
            "The token and, this once, its value in `token`",
        );
        answers.with::<T>(
            StatusCode::OK,
            "The same request with the same `Idempotency-Key` was answered before: the token, without its value",
        );
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        match self {
            Minted::New(with_value) => HttpResponse::Created()
                .insert_header((CACHE_CONTROL, "no-store"))
                .json(with_value),
            Minted::Replayed(without) => HttpResponse::Ok()
                .insert_header(("Idempotency-Replayed", "true"))
                .json(without),
        }
    }
}

impl<W: Serialize + ToSchema> Answer for Rotated<W> {
    fn describe(answers: &mut Answers) {
        answers.with::<W>(
            StatusCode::OK,
            "The new token and, this once, its value in `token`",
        );
    }

    fn respond(self, _: &HttpRequest, _: &str) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(self.0)
    }
}

/// A sentence.
#[derive(Debug, Serialize, ToSchema)]
struct Message {
    /// What happened.
    message: String,
}

/// A moment as the API writes it: `2026-11-25T09:15:30.123Z`.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Moment(pub DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
