//! Errors as the REST API says them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};

use crate::error::{Denied, Error, FieldErrors, What};

const EXPIRED: &str = "Token is expired. You can either do re-authorization or token refresh.";
const REVOKED: &str = "Token was revoked. You have to re-authorize from the user.";
const NARROW: &str = "The request requires higher privileges than provided by the access token.";

/// The answer to a failed API request. What only the log may know stays there.
pub fn respond(error: &Error) -> HttpResponse {
    match error {
        Error::NotFound(what) => message(StatusCode::NOT_FOUND, not_found(what)),
        Error::Unauthenticated(Denied::Unknown) => {
            message(StatusCode::UNAUTHORIZED, "401 Unauthorized".into())
        }
        Error::Unauthenticated(Denied::Expired) => dead_token(EXPIRED),
        Error::Unauthenticated(Denied::Revoked) => dead_token(REVOKED),
        Error::InsufficientScope(scopes) => {
            let mut res = HttpResponse::Forbidden().json(json!({
                "error": "insufficient_scope",
                "error_description": NARROW,
                "scope": scopes,
            }));
            challenge(&mut res, "insufficient_scope", NARROW);
            res
        }
        Error::Forbidden(None) => message(StatusCode::FORBIDDEN, "403 Forbidden".into()),
        Error::Forbidden(Some(why)) => {
            message(StatusCode::FORBIDDEN, format!("403 Forbidden - {why}"))
        }
        Error::Parameter(text) => HttpResponse::BadRequest().json(json!({ "error": text })),
        Error::Refused(text) => {
            message(StatusCode::BAD_REQUEST, format!("400 Bad request - {text}"))
        }
        Error::Told(text) => message(StatusCode::BAD_REQUEST, text.clone()),
        Error::NotSaved(what, errors) => message(
            StatusCode::BAD_REQUEST,
            format!("Failed to save {what} {}", as_hash(errors)),
        ),
        Error::NoKeyset => HttpResponse::MethodNotAllowed().json(json!({
            "error": "Keyset pagination is not yet available for this type of request",
        })),
        Error::BadRequest => message(StatusCode::BAD_REQUEST, "400 Bad request".into()),
        Error::Invalid(errors) => {
            HttpResponse::BadRequest().json(json!({ "message": by_field(errors) }))
        }
        Error::Conflict(text) => message(StatusCode::CONFLICT, text.clone()),
        Error::NotApplicable => message(
            StatusCode::METHOD_NOT_ALLOWED,
            "405 Method Not Allowed".into(),
        ),
        Error::TooManyRequests(seconds) => {
            let mut res = message(
                StatusCode::TOO_MANY_REQUESTS,
                "429 Too Many Requests".into(),
            );
            res.headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(*seconds));
            res
        }
        Error::Unavailable(cause) => {
            tracing::error!(error = %format!("{cause:#}"), "Something that we need is away");
            let mut res = message(
                StatusCode::SERVICE_UNAVAILABLE,
                "503 Service Unavailable".into(),
            );
            res.headers_mut().insert(RETRY_AFTER, HeaderValue::from(5));
            res
        }
        Error::Internal(cause) => {
            tracing::error!(error = %format!("{cause:#}"), "A request failed");
            message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "500 Internal Server Error".into(),
            )
        }
    }
}

/// A plain `{"message": …}`.
pub fn message(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "message": text }))
}

fn not_found(what: &What) -> String {
    match what {
        What::Thing => "404 Not Found".into(),
        // As clients know it, small f.
        What::Entry => "404 Not found".into(),
        other => format!("404 {other} Not Found"),
    }
}

fn dead_token(description: &str) -> HttpResponse {
    let mut res = HttpResponse::Unauthorized()
        .json(json!({ "error": "invalid_token", "error_description": description }));
    challenge(&mut res, "invalid_token", description);
    res
}

fn challenge(res: &mut HttpResponse, error: &str, description: &str) {
    let text =
        format!(r#"Bearer realm="The API", error="{error}", error_description="{description}""#);
    if let Ok(value) = HeaderValue::from_str(&text) {
        res.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
}

/// `{:path=>["has already been taken"]}`: what clients of old parse.
fn as_hash(errors: &FieldErrors) -> String {
    let fields = by_field(errors);
    let entries: Vec<String> = fields
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, texts)| format!(":{field}=>{texts}"))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn by_field(errors: &FieldErrors) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    for (field, text) in errors.iter() {
        if let Value::Array(texts) = fields.entry(field).or_insert_with(|| json!([])) {
            texts.push(json!(text));
        }
    }
    Value::Object(fields)
}
