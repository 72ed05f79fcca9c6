//! `/api/v4/groups/:id/access_tokens` and `/api/v4/personal_access_tokens/self`.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use chrono::{NaiveDate, SecondsFormat};
use serde_json::{Map, Value, json};

use super::create::{Created, NewAccessToken};
use super::list::{Query, Sort, State};
use super::rotate::NewExpiry;
use super::scope::Scope;
use super::{
    ListedToken, Resource, create as creating, list as listing, revoke as revoking,
    rotate as rotating,
};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, PageRequest};
use crate::error::{Error, What};
use crate::groups::store::{GroupRef, find_visible};
use crate::members::AccessLevel;
use crate::web::api::ApiCall;

/// A token as the API shows it; `role` adds what only resource tokens have.
fn object(listed: &ListedToken, today: NaiveDate, role: bool) -> Value {
    let token = &listed.token;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.into(), value);
    put("id", json!(token.id));
    put("name", json!(token.name));
    put("revoked", json!(token.revoked));
    put(
        "created_at",
        json!(
            token
                .created_at
                .to_rfc3339_opts(SecondsFormat::Millis, true)
        ),
    );
    put("description", json!(token.description));
    put("scopes", json!(token.scopes.names()));
    put("user_id", json!(token.user_id));
    let last_used_at = listed
        .last_used_at
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    put("last_used_at", json!(last_used_at));
    put("active", json!(token.is_active(today)));
    put("expires_at", json!(token.expires_at));
    put("last_used_ips", json!(listed.last_used_ips));
    if role {
        put(
            "access_level",
            json!(listed.access_level.map(AccessLevel::number)),
        );
        put("resource_type", json!(token.kind()));
        put("resource_id", json!(token.group_id.or(token.project_id)));
    }
    Value::Object(fields)
}

/// A token with its value: the one answer that has it.
fn with_value(created: &Created, today: NaiveDate, role: bool, status: u16) -> HttpResponse {
    let mut shown = object(&created.listed, today, role);
    if let Value::Object(fields) = &mut shown {
        fields.insert("token".into(), json!(created.plaintext.expose()));
    }
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(shown)
}

/// The group that the path names, if the caller may know of it.
fn resource(conn: &mut DbConnection, ctx: &Context, id: &str) -> Result<Resource, Error> {
    find_visible(conn, ctx, &GroupRef::parse(id)).map(Resource::Group)
}

fn missing_token(id: &str) -> Error {
    Error::NotFound(What::ResourceToken("group", id.to_owned()))
}

/// `created_asc` and its kin; other words, and none, are the order of the ids.
fn order(sort: Option<&str>) -> (Sort, bool) {
    let Some((key, direction)) = sort.and_then(|sort| sort.rsplit_once('_')) else {
        return (Sort::Id, false);
    };
    let key = match key {
        "created" => Sort::Created,
        "expires" => Sort::Expires,
        "last_used" => Sort::LastUsed,
        "name" => Sort::Name,
        _ => return (Sort::Id, false),
    };
    match direction {
        "asc" => (key, false),
        "desc" => (key, true),
        _ => (Sort::Id, false),
    }
}

/// `GET /groups/:id/access_tokens`. Owners.
pub async fn list(call: ApiCall) -> Result<HttpResponse, Error> {
    let (query, request) = call.params.read(|params| {
        let state = params.choice("state", |word| match word {
            "active" => Some(State::Active),
            "inactive" => Some(State::Inactive),
            _ => None,
        });
        let revoked = params.boolean("revoked");
        let created_before = params.date_time("created_before");
        let created_after = params.date_time("created_after");
        let last_used_before = params.date_time("last_used_before");
        let last_used_after = params.date_time("last_used_after");
        let expires_before = params.date("expires_before");
        let expires_after = params.date("expires_after");
        let search = params.text("search");
        let sort = params.text("sort");
        let (page, per_page) = (params.page(), params.per_page());
        let (sort, descending) = order(sort?.as_deref());
        let query = Query {
            state: state?,
            words: search?
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            revoked: revoked?,
            created_before: created_before?,
            created_after: created_after?,
            last_used_before: last_used_before?,
            last_used_after: last_used_after?,
            expires_before: expires_before?,
            expires_after: expires_after?,
            members_only: true,
            sort,
            descending,
            newest_among_equals: true,
            ..Query::default()
        };
        Ok((
            query,
            PageRequest {
                page: page?,
                per_page: per_page?,
            },
        ))
    })?;
    let id = call.segment("id");
    let today = call.ctx.today();
    let page = call
        .read(move |conn, ctx| {
            let resource = resource(conn, ctx, &id)?;
            listing::of_resource(conn, ctx, &resource, &query, request)
        })
        .await?;
    Ok(call.list(page, |listed| object(&listed, today, true)))
}

/// `GET /groups/:id/access_tokens/:token_id`. Owners.
pub async fn show(call: ApiCall) -> Result<HttpResponse, Error> {
    let (id, token_id) = (call.segment("id"), call.segment("token_id"));
    let listed = call
        .read(move |conn, ctx| {
            let resource = resource(conn, ctx, &id)?;
            listing::one_of_resource(conn, ctx, &resource, token_number(&token_id))?
                .ok_or_else(|| missing_token(&token_id))
        })
        .await?;
    Ok(HttpResponse::Ok().json(object(&listed, call.ctx.today(), true)))
}

/// An id is a number of plain digits; anything else is no token's.
fn token_number(text: &str) -> i64 {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().unwrap_or(0)
    } else {
        0
    }
}

/// `POST /groups/:id/access_tokens`. Owners who are people.
pub async fn create(call: ApiCall) -> Result<HttpResponse, Error> {
    let registry = call.ctx.policy.settings.registry_enabled;
    let new = call.params.read(|params| {
        let name = params.required_text("name");
        let scopes = params.required_choices("scopes", |word| {
            Scope::parse(word).filter(|scope| scope.is_for_resource_tokens(registry))
        });
        let access_level = params.number_choice("access_level", AccessLevel::from_number);
        let expires_at = params.date("expires_at");
        let description = params.text("description");
        Ok(NewAccessToken {
            name: name?,
            scopes: scopes?,
            access_level: access_level?.unwrap_or(AccessLevel::Maintainer),
            expires_at: expires_at?,
            description: description?,
        })
    })?;
    let id = call.segment("id");
    let created = call
        .write(move |conn, ctx| {
            let resource = resource(conn, ctx, &id)?;
            creating::create(conn, ctx, &resource, &new)
        })
        .await??;
    Ok(with_value(&created, call.ctx.today(), true, 201))
}

/// A refusal leaves a line in the trail too; in a transaction of its own, because the refused one was
/// taken back.
async fn note_refusal<T>(
    call: &ApiCall,
    what: &'static str,
    outcome: Result<T, Error>,
) -> Result<T, Error> {
    if let Err(error @ (Error::Refused(_) | Error::Unauthenticated(_))) = &outcome {
        let (id, token_id) = (call.segment("id"), call.segment("token_id"));
        let details = json!({ "token_id": token_id, "reason": error.to_string() });
        call.write(move |conn, ctx| {
            let group = find_visible(conn, ctx, &GroupRef::parse(&id))?;
            let name = format!("group_access_token_{what}");
            let event = Event::new(name, Target::Group(&group)).with(details.clone());
            audit::record_refusal(conn, ctx, event)
        })
        .await?;
    }
    outcome
}

/// `DELETE /groups/:id/access_tokens/:token_id`. Owners, and Owner bots of this group.
pub async fn revoke(call: ApiCall) -> Result<HttpResponse, Error> {
    let (id, token_id) = (call.segment("id"), call.segment("token_id"));
    let outcome = call
        .write(move |conn, ctx| {
            let resource = resource(conn, ctx, &id)?;
            revoking::revoke(conn, ctx, &resource, token_number(&token_id), false).map_err(
                |error| match error {
                    Error::NotFound(What::ResourceToken(..)) => missing_token(&token_id),
                    other => other,
                },
            )
        })
        .await;
    note_refusal(&call, "deletion_failed", outcome).await?;
    call.app.bots_gone.notify_one();
    Ok(HttpResponse::NoContent().finish())
}

/// The token that made the request.
fn own_id(call: &ApiCall) -> i64 {
    call.ctx.actor.token().map_or(0, |token| token.id)
}

fn new_expiry(call: &ApiCall) -> Result<NewExpiry, Error> {
    let date = call.params.read(|params| params.date("expires_at"))?;
    Ok(date.map_or(NewExpiry::ApiDefault, NewExpiry::On))
}

/// `POST /groups/:id/access_tokens/:token_id/rotate`. Owners who are people.
pub async fn rotate(call: ApiCall) -> Result<HttpResponse, Error> {
    let expiry = new_expiry(&call)?;
    let (id, token_id) = (call.segment("id"), call.segment("token_id"));
    let _running = call.app.rotations.running(token_number(&token_id));
    let outcome = call
        .write(move |conn, ctx| {
            let resource = resource(conn, ctx, &id)?;
            rotating::rotate(conn, ctx, &resource, token_number(&token_id), expiry)
        })
        .await;
    let created = note_refusal(&call, "rotation_failed", outcome).await?;
    Ok(with_value(&created, call.ctx.today(), true, 200))
}

/// `POST /groups/:id/access_tokens/self/rotate`. The token itself.
pub async fn rotate_self(call: ApiCall) -> Result<HttpResponse, Error> {
    let expiry = new_expiry(&call)?;
    let id = call.segment("id");
    let _running = call.app.rotations.running(own_id(&call));
    let created = call
        .write(move |conn, ctx| {
            let resource = resource(conn, ctx, &id)?;
            rotating::rotate_self(conn, ctx, Some(&resource), expiry)
        })
        .await?;
    Ok(with_value(&created, call.ctx.today(), true, 200))
}

/// `GET /personal_access_tokens/self`. Any token.
pub async fn show_self(call: ApiCall) -> Result<HttpResponse, Error> {
    let listed = call.read(listing::own).await?;
    Ok(HttpResponse::Ok().json(object(&listed, call.ctx.today(), false)))
}

/// `DELETE /personal_access_tokens/self`. Any token.
pub async fn revoke_self(call: ApiCall) -> Result<HttpResponse, Error> {
    call.write(revoking::revoke_self).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /personal_access_tokens/self/rotate`. The token itself, a bot's or a person's.
pub async fn rotate_personal_self(call: ApiCall) -> Result<HttpResponse, Error> {
    let expiry = new_expiry(&call)?;
    let _running = call.app.rotations.running(own_id(&call));
    let created = call
        .write(move |conn, ctx| rotating::rotate_self(conn, ctx, None, expiry))
        .await?;
    Ok(with_value(&created, call.ctx.today(), false, 200))
}
