//! `/api/v4/personal_access_tokens`, and the tokens of people below `/user` and `/users`.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::objects::{AccessToken, Shape, WithValue};
use super::parameters::{Associations, ListingOfUser, NewNarrowToken, NewPersonalToken, Rotation};
use super::{SentKey, minted, own_id};
use crate::access_tokens::create::{NewAccessToken, create_personal};
use crate::access_tokens::refusals::{self, Attempt, Whose};
use crate::access_tokens::scope::Scope;
use crate::access_tokens::{idempotency, list as listing, revoke as revoking, rotate as rotating};
use crate::context::Context;
use crate::db::lock_instance;
use crate::error::{Denied, Error, What};
use crate::groups::list as groups;
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::projects::api::NamespaceObject;
use crate::projects::list as projects;
use crate::users::{self, User};
use crate::web::api::{ApiCall, Listed, Minted, Moment, NoContent, Rotated, Shown};

type TokenWithValue = WithValue<AccessToken>;

/// `GET /personal_access_tokens`. One's own; administrators: everybody's.
pub async fn list(call: ApiCall, asked: ListingOfUser) -> Result<Listed<AccessToken>, Error> {
    let now = call.ctx.now;
    let page = call
        .read(move |conn, ctx| {
            let (query, request) = (&asked.listing.query, asked.listing.request);
            listing::of_anybody(conn, ctx, asked.user_id, query, request)
        })
        .await?;
    Ok(Listed(page.map(|listed| AccessToken::of(listed, now))))
}

/// `GET /personal_access_tokens/:id`. One's own; administrators: anybody's.
pub async fn show(call: ApiCall) -> Result<Shown<AccessToken>, Error> {
    let id = call.number("id");
    let listed = call
        .read(move |conn, ctx| listing::by_id(conn, ctx, id))
        .await?;
    Ok(Shown(AccessToken::of(listed, call.ctx.now)))
}

/// `DELETE /personal_access_tokens/:id`. One's own; administrators: anybody's.
pub async fn revoke(call: ApiCall) -> Result<NoContent, Error> {
    let id = call.number("id");
    let outcome = call
        .write(move |conn, ctx| revoking::revoke_by_id(conn, ctx, id))
        .await;
    note_refusal(&call, Attempt::Deletion, id, outcome).await?;
    Ok(NoContent)
}

/// A refusal leaves a line in the trail too; in a transaction of its own, because the refused one was
/// taken back.
async fn note_refusal<T>(
    call: &ApiCall,
    attempt: Attempt,
    token_id: i64,
    outcome: Result<T, Error>,
) -> Result<T, Error> {
    if let Err(
        error @ (Error::Refused(_)
        | Error::Forbidden(_)
        | Error::Unauthenticated(_)
        | Error::BadRequest),
    ) = &outcome
        && let Some(user) = call.ctx.actor.user.clone()
    {
        let reason = error.to_string();
        let details = match attempt {
            Attempt::Creation => json!({ "reason": reason }),
            Attempt::Rotation | Attempt::Deletion => refusals::of_token(token_id, &reason),
        };
        call.write(move |conn, ctx| {
            refusals::note(conn, ctx, Whose::Person(&user), attempt, details.clone())
        })
        .await?;
    }
    outcome
}

/// `POST /personal_access_tokens/:id/rotate`. One's own; administrators: anybody's.
pub async fn rotate(
    call: ApiCall,
    Rotation(rotation): Rotation,
) -> Result<Rotated<TokenWithValue>, Error> {
    let id = call.number("id");
    let outcome = call
        .write(move |conn, ctx| rotating::rotate_by_id(conn, ctx, id, rotation))
        .await;
    let created = note_refusal(&call, Attempt::Rotation, id, outcome).await?;
    call.app.rotations.end(id);
    Ok(Rotated(WithValue::of(created, call.ctx.now)))
}

/// `GET /personal_access_tokens/self`. Any token.
pub async fn show_self(call: ApiCall) -> Result<Shown<AccessToken>, Error> {
    let listed = call.read(listing::own).await?;
    Ok(Shown(AccessToken::of(listed, call.ctx.now)))
}

/// `DELETE /personal_access_tokens/self`. Any token.
pub async fn revoke_self(call: ApiCall) -> Result<NoContent, Error> {
    call.write(revoking::revoke_self).await?;
    Ok(NoContent)
}

/// `POST /personal_access_tokens/self/rotate`. The token itself, a bot's or a person's.
pub async fn rotate_self(
    call: ApiCall,
    Rotation(rotation): Rotation,
) -> Result<Rotated<TokenWithValue>, Error> {
    let outcome = call
        .write(move |conn, ctx| rotating::rotate_self(conn, ctx, None, rotation))
        .await;
    let created = note_refusal(&call, Attempt::Rotation, own_id(&call), outcome).await?;
    call.app.rotations.end(own_id(&call));
    Ok(Rotated(WithValue::of(created, call.ctx.now)))
}

/// `POST /users/:user_id/personal_access_tokens`. Administrators.
pub async fn create_for(
    call: ApiCall,
    NewPersonalToken(new): NewPersonalToken,
) -> Result<Minted<AccessToken, TokenWithValue>, Error> {
    let (user_id, sent) = (call.number("user_id"), SentKey::of(&call)?);
    let outcome = call
        .write(move |conn, ctx| {
            // Whether somebody is an administrator decides what their token may have.
            lock_instance(conn)?;
            let administers = |ctx: &Context| ctx.actor.may_on_instance(Right::Administer);
            if !administers(&ctx.refreshed(conn)?) {
                return Err(Error::forbidden());
            }
            let user = users::store::find(conn, user_id)?.ok_or(Error::NotFound(What::User))?;
            offered(ctx, &user, &new)?;
            let key = sent
                .as_ref()
                .map(|sent| sent.at(ctx, &format!("user {}", user.id)));
            idempotency::once(conn, ctx, key.as_ref(), administers, |conn| {
                create_personal(conn, ctx, &user, &new).map(Ok)
            })
        })
        .await
        .flatten();
    let outcome = note_refusal(&call, Attempt::Creation, 0, outcome).await?;
    Ok(minted(&call, outcome))
}

/// Scopes that only administrators may have are like any wrong word for others.
fn offered(ctx: &Context, user: &User, new: &NewAccessToken) -> Result<(), Error> {
    let registry = ctx.policy.settings.registry_enabled;
    let all = |scope: &Scope| scope.is_for_people(user.admin, registry);
    if new.scopes.iter().all(all) {
        Ok(())
    } else {
        Err(Error::Parameter(
            "scopes does not have a valid value".into(),
        ))
    }
}

/// `POST /user/personal_access_tokens`. People, for a token that opens next to nothing.
pub async fn create_own(
    call: ApiCall,
    NewNarrowToken(new): NewNarrowToken,
) -> Result<Minted<AccessToken, TokenWithValue>, Error> {
    let sent = SentKey::of(&call)?;
    let outcome = call
        .write(move |conn, ctx| {
            let unknown = || Error::Unauthenticated(Denied::Unknown);
            let user = ctx.actor.user.clone().ok_or_else(unknown)?;
            let key = sent.as_ref().map(|sent| sent.at(ctx, "own"));
            let may = |ctx: &Context| ctx.actor.may_on_instance(Right::OwnPersonalTokens);
            idempotency::once(conn, ctx, key.as_ref(), may, |conn| {
                create_personal(conn, ctx, &user, &new).map(Ok)
            })
        })
        .await
        .flatten();
    let outcome = note_refusal(&call, Attempt::Creation, 0, outcome).await?;
    Ok(minted(&call, outcome))
}

/// Where the holder of a token has a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reach {
    /// Groups, by id.
    groups: Vec<ReachedGroup>,
    /// Projects, by id.
    projects: Vec<ReachedProject>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReachedGroup {
    id: i64,
    web_url: String,
    name: String,
    parent_id: Option<i64>,
    organization_id: i64,
    #[schema(value_type = Option<i32>)]
    access_levels: Option<AccessLevel>,
    visibility: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReachedProject {
    id: i64,
    description: String,
    name: String,
    name_with_namespace: String,
    path: String,
    path_with_namespace: String,
    created_at: Moment,
    access_levels: ProjectLevels,
    visibility: &'static str,
    web_url: String,
    namespace: NamespaceObject,
}

#[derive(Debug, Serialize, ToSchema)]
struct ProjectLevels {
    #[schema(value_type = Option<i32>)]
    project_access_level: Option<AccessLevel>,
    #[schema(value_type = Option<i32>)]
    group_access_level: Option<AccessLevel>,
}

/// `GET /personal_access_tokens/self/associations`. Any token.
pub async fn associations(call: ApiCall, asked: Associations) -> Result<Shown<Reach>, Error> {
    let (groups, projects) = call
        .read(move |conn, ctx| {
            listing::own(conn, ctx)?;
            let groups = groups::Filter {
                membership: true,
                at_least: Some(asked.at_least),
                order: groups::Order::Id,
                uncounted: true,
                ..groups::Filter::default()
            };
            let projects = projects::Filter {
                membership: true,
                at_least: Some(asked.at_least),
                order: projects::Order::Id,
                ascending: true,
                uncounted: true,
                ..projects::Filter::default()
            };
            Ok((
                groups::list_visible(conn, ctx, &groups, asked.request)?,
                projects::list_visible(conn, ctx, &projects, asked.request)?,
            ))
        })
        .await?;
    let ctx = &call.ctx;
    let groups = groups.rows.into_iter().map(|group| ReachedGroup {
        id: group.id,
        web_url: ctx.url(&format!("/groups/{}", group.full_path)),
        access_levels: ctx.actor.memberships.on_group(&group.traversal),
        name: group.name,
        parent_id: group.parent_id,
        organization_id: 1,
        visibility: group.visibility.name(),
    });
    let projects = projects.rows.into_iter().map(|project| {
        let (direct, inherited) = ctx.actor.roles_on(&project.place());
        ReachedProject {
            id: project.id,
            name_with_namespace: project.full_name(),
            path_with_namespace: project.full_path(),
            created_at: Moment(project.created_at),
            access_levels: ProjectLevels {
                project_access_level: direct,
                group_access_level: inherited,
            },
            visibility: project.visibility.name(),
            web_url: ctx.url(&format!("/{}", project.full_path())),
            namespace: NamespaceObject::of(ctx, &project.namespace),
            description: project.row.description,
            name: project.row.name,
            path: project.row.path,
        }
    });
    Ok(Shown(Reach {
        groups: groups.collect(),
        projects: projects.collect(),
    }))
}
