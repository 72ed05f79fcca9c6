//! One way in for every API request: body, credential, blocked, scope.

use actix_web::http::{Method, header};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Instant;
use zeroize::Zeroizing;

use super::ApiCall;
use crate::actor::{Actor, Channel, Credential, Declared, Origin};
use crate::app::App;
use crate::context::Context;
use crate::error::{Denied, Error};
use crate::sessions::person::SignedIn;
use crate::settings::Policy;
use crate::web::endpoint::Access;
use crate::web::params::Params;
use crate::web::token::{self, Recognised};
use crate::web::{api_error, body, client, csrf};

/// What the log tells of a caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogFacts {
    /// The user.
    pub user_id: Option<i64>,
    /// The token, by its id.
    pub token_id: Option<i64>,
}

/// Lets a request in, or answers it.
pub(super) async fn enter(
    app: &App,
    req: &HttpRequest,
    payload: Payload,
    access: Access,
) -> Result<ApiCall, HttpResponse> {
    let (now, arrived) = (app.clock.now(), Instant::now());
    let announced = req
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let body = body::read(payload, announced).await.map_err(|unread| {
        let status = actix_web::http::StatusCode::from_u16(unread.status()).unwrap_or_default();
        let text = format!(
            "{} {}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default()
        );
        api_error::message(status, text)
    })?;
    let (mut params, malformed) = read_params(req, &body).await;
    for (name, value) in req.match_info().iter() {
        params.set_path(name, decode(value));
    }
    let credential = take_credential(req, &mut params);
    let refused = |error: Error| api_error::respond(&error);
    let ctx = identify(app, req, credential, access, now, arrived)
        .await
        .map_err(refused)?;
    if malformed {
        return Err(refused(Error::Parameter(
            "message body does not match declared format".into(),
        )));
    }
    Ok(ApiCall {
        app: app.clone(),
        ctx,
        params,
        req: req.clone(),
    })
}

/// Query and body, whichever way the body is written. `true` if it isn't what it says it is.
async fn read_params(req: &HttpRequest, body: &Bytes) -> (Params, bool) {
    let mut params = Params::from_query(req.uri().query().unwrap_or_default());
    let content_type = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if body.is_empty() {
        return (params, false);
    }
    let malformed = match kind.as_str() {
        "application/x-www-form-urlencoded" => {
            params.merge_form(body);
            false
        }
        "multipart/form-data" => match read_multipart(content_type, body.clone()).await {
            Some(fields) => {
                params.merge_fields(fields);
                false
            }
            None => true,
        },
        kind => !may_be_json(kind, content_type) || params.merge_json(body).is_err(),
    };
    (params, malformed)
}

/// JSON under one of its names, or under none, in the only encoding that it has.
fn may_be_json(kind: &str, content_type: &str) -> bool {
    let named = matches!(kind, "" | "application/json")
        || (kind.starts_with("application/") && kind.ends_with("+json"));
    let encoding = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_it = name.trim().eq_ignore_ascii_case("charset");
        is_it.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    named
        && encoding
            .as_deref()
            .is_none_or(|encoding| matches!(encoding, "utf-8" | "utf8" | "us-ascii"))
}

/// The text fields of a multipart form; nothing if it isn't one.
async fn read_multipart(content_type: &str, body: Bytes) -> Option<Vec<(String, String)>> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let whole =
        futures_util::stream::once(async move { Ok::<Bytes, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        fields.push((
            name,
            String::from_utf8(part.bytes().await.ok()?.to_vec()).ok()?,
        ));
    }
    Some(fields)
}

/// One credential: the parameter, else the header, else Bearer, else the OAuth-like parameters.
fn take_credential(req: &HttpRequest, params: &mut Params) -> Option<Zeroizing<String>> {
    let header = |name: &str| {
        req.headers()
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
            .filter(|value| !value.is_empty())
            .map(Zeroizing::new)
    };
    let private = params.take_secret("private_token");
    let oauth = params
        .take_secret("access_token")
        .or_else(|| params.take_secret("bearer_token"));
    let bearer = || {
        let value = header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
            .then(|| Zeroizing::new(token.to_owned()))
    };
    private
        .or_else(|| header("private-token"))
        .or_else(bearer)
        .or(oauth)
}

/// From a credential to a context, or to the reason why not: credential, blocked, scope.
async fn identify(
    app: &App,
    req: &HttpRequest,
    credential: Option<Zeroizing<String>>,
    access: Access,
    now: DateTime<Utc>,
    arrived: Instant,
) -> Result<Context, Error> {
    let (scope, rights, anonymous) = match access {
        Access::Api {
            scope,
            rights,
            anonymous,
        } if !rights.is_empty() => (scope, rights, anonymous),
        // Whoever forgot to declare a route has closed it.
        _ => return Err(Error::forbidden()),
    };
    let declared = Declared::Only(rights);
    let origin = client::origin(app, req, Channel::Api);
    let Some(value) = credential else {
        return without_token(app, req, origin, declared, anonymous, now).await;
    };
    let Recognised { found, policy } =
        token::recognise(app, req, &value, &origin, now, arrived).await?;
    let limit = policy.settings.api_requests_per_minute;
    if let Some(standing) = app.quotas.count(found.token.id, limit, now) {
        req.extensions_mut().insert(standing);
        if standing.is_over() {
            return Err(Error::TooManyRequests(standing.wait(now)));
        }
    }
    if !scope.is_met_by(&found.token.scopes) {
        return Err(Error::InsufficientScope(scope.listed()));
    }
    app.uses.note(found.token.id, origin.ip, now);
    let actor = found.into_actor(origin, declared);
    Ok(app.context(actor, policy, now))
}

/// A browser's session reads; it changes only with the page's own token. Nobody at all sees what is public.
async fn without_token(
    app: &App,
    req: &HttpRequest,
    origin: Origin,
    declared: Declared,
    anonymous: bool,
    now: DateTime<Utc>,
) -> Result<Context, Error> {
    let session = SignedIn::of_this_request()?;
    if let Some(SignedIn {
        user,
        memberships,
        policy,
        csrf_secret,
        ..
    }) = session
    {
        let safe = matches!(*req.method(), Method::GET | Method::HEAD);
        let token = req
            .headers()
            .get("x-csrf-token")
            .and_then(|value| value.to_str().ok());
        let ours = csrf::comes_from_us(req, &app.external_url);
        let from_our_page = ours && token.is_some_and(|token| csrf::matches(&csrf_secret, token));
        if !safe && !from_our_page {
            return Err(Error::Unauthenticated(Denied::Unknown));
        }
        req.extensions_mut().insert(LogFacts {
            user_id: Some(user.id),
            token_id: None,
        });
        let actor = Actor {
            user: Some(user),
            credential: Credential::Session,
            memberships,
            origin,
            declared,
        };
        return Ok(app.context(actor, policy, now));
    }
    if !anonymous {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    let reader = app.clone();
    let policy: Arc<Policy> = app.db.read(move |conn| reader.policy_now(conn)).await?;
    Ok(app.context(Actor::anonymous(origin, declared), policy, now))
}

/// What a segment of a path says.
pub(super) fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// The number that a segment of a path says; 0, which is nobody's id, for whatever isn't one.
pub fn number(segment: &str) -> i64 {
    let text = decode(segment);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().unwrap_or(0)
    } else {
        0
    }
}
