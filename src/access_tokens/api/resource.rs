//! `/api/v4/groups/:id/access_tokens` and `/api/v4/projects/:id/access_tokens`.

use super::objects::{ResourceAccessToken, Shape, WithValue};
use super::parameters::{Listing, NewResourceToken, Rotation};
use super::{SentKey, minted, own_id};
use crate::access_tokens::refusals::{self, Attempt, Whose};
use crate::access_tokens::resource::Kind;
use crate::access_tokens::{
    create as creating, idempotency, list as listing, revoke as revoking, rotate as rotating,
};
use crate::context::Context;
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::redaction::redact;
use crate::web::api::{ApiCall, Listed, Minted, NoContent, Rotated, Shown};

type TokenWithValue = WithValue<ResourceAccessToken>;

/// Somebody may have put a token's value where its id belongs.
fn missing_token<K: Kind>(id: &str) -> Error {
    let shown = redact(id).into_owned();
    Error::NotFound(What::ResourceToken(K::NOUN, shown))
}

/// `GET /:id/access_tokens`. Owners; of projects, Maintainers.
pub async fn list<K: Kind>(
    call: ApiCall,
    asked: Listing,
) -> Result<Listed<ResourceAccessToken>, Error> {
    let id = call.segment("id");
    let now = call.ctx.now;
    let query = listing::Query {
        members_only: true,
        ..asked.query
    };
    let page = call
        .read(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            listing::of_resource(conn, ctx, &resource, &query, asked.request)
        })
        .await?;
    Ok(Listed(
        page.map(|listed| ResourceAccessToken::of(listed, now)),
    ))
}

/// `GET /:id/access_tokens/:token_id`. Owners; of projects, Maintainers.
pub async fn show<K: Kind>(call: ApiCall) -> Result<Shown<ResourceAccessToken>, Error> {
    let (id, token_id, written) = (
        call.segment("id"),
        call.number("token_id"),
        call.segment("token_id"),
    );
    let listed = call
        .read(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            listing::one_of_resource(conn, ctx, &resource, token_id)?
                .ok_or_else(|| missing_token::<K>(&written))
        })
        .await?;
    Ok(Shown(ResourceAccessToken::of(listed, call.ctx.now)))
}

/// `POST /:id/access_tokens`. Owners who are people; of projects, Maintainers who are.
pub async fn create<K: Kind>(
    call: ApiCall,
    NewResourceToken(new): NewResourceToken,
) -> Result<Minted<ResourceAccessToken, TokenWithValue>, Error> {
    let (id, sent) = (call.segment("id"), SentKey::of(&call)?);
    let outcome = call
        .write(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            let place = format!("{} {}", K::NOUN, resource.id());
            let key = sent.as_ref().map(|sent| sent.at(ctx, &place));
            let may = |ctx: &Context| {
                ctx.actor
                    .may(Right::CreateToken, &resource.place(), &ctx.policy)
            };
            idempotency::once(conn, ctx, key.as_ref(), may, |conn| {
                creating::create(conn, ctx, &resource, &new)
            })
        })
        .await??;
    Ok(minted(&call, outcome))
}

/// A refusal leaves a line in the trail too; in a transaction of its own, because the refused one was
/// taken back.
async fn note_refusal<K: Kind, T>(
    call: &ApiCall,
    attempt: Attempt,
    token_id: i64,
    outcome: Result<T, Error>,
) -> Result<T, Error> {
    if let Err(error @ (Error::Refused(_) | Error::Unauthenticated(_))) = &outcome {
        let id = call.segment("id");
        let details = refusals::of_token(token_id, &error.to_string());
        call.write(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            let whose = Whose::Resource(&resource);
            refusals::note(conn, ctx, whose, attempt, details.clone())
        })
        .await?;
    }
    outcome
}

/// `DELETE /:id/access_tokens/:token_id`. Owners; of projects, Maintainers; and bots of the same place with
/// such a role.
pub async fn revoke<K: Kind>(call: ApiCall) -> Result<NoContent, Error> {
    let (id, token_id, written) = (
        call.segment("id"),
        call.number("token_id"),
        call.segment("token_id"),
    );
    let outcome = call
        .write(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            revoking::revoke(conn, ctx, &resource, token_id, false).map_err(|error| match error {
                Error::NotFound(What::ResourceToken(..)) => missing_token::<K>(&written),
                other => other,
            })
        })
        .await;
    note_refusal::<K, _>(&call, Attempt::Deletion, token_id, outcome).await?;
    call.app.jobs_waiting.notify_one();
    Ok(NoContent)
}

/// `POST /:id/access_tokens/:token_id/rotate`. Owners who are people; of projects, Maintainers who are.
pub async fn rotate<K: Kind>(
    call: ApiCall,
    Rotation(rotation): Rotation,
) -> Result<Rotated<TokenWithValue>, Error> {
    let (id, token_id) = (call.segment("id"), call.number("token_id"));
    let outcome = call
        .write(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            rotating::rotate(conn, ctx, &resource, token_id, rotation)
        })
        .await;
    let created = note_refusal::<K, _>(&call, Attempt::Rotation, token_id, outcome).await?;
    call.app.rotations.end(token_id);
    Ok(Rotated(WithValue::of(created, call.ctx.now)))
}

/// `POST /:id/access_tokens/self/rotate`. The token itself.
pub async fn rotate_self<K: Kind>(
    call: ApiCall,
    Rotation(rotation): Rotation,
) -> Result<Rotated<TokenWithValue>, Error> {
    let id = call.segment("id");
    let outcome = call
        .write(move |conn, ctx| {
            let resource = K::find_visible(conn, ctx, &id)?;
            rotating::rotate_self(conn, ctx, Some(&resource), rotation)
        })
        .await;
    let created = note_refusal::<K, _>(&call, Attempt::Rotation, own_id(&call), outcome).await?;
    call.app.rotations.end(own_id(&call));
    Ok(Rotated(WithValue::of(created, call.ctx.now)))
}
