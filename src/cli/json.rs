//! What `--json` prints: the names and forms that the REST API uses for the same things.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::access_tokens::ListedToken;
use crate::groups::Group;
use crate::projects::Project;
use crate::users::User;

pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "state": user.state.as_str(),
        "is_admin": user.admin,
        "external": user.external,
        "created_at": moment(user.created_at),
        "last_sign_in_at": user.last_sign_in_at.map(moment),
    })
}

pub(super) fn group(group: &Group) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "path": group.path,
        "full_name": group.full_name,
        "full_path": group.full_path,
        "description": group.description,
        "visibility": group.visibility.name(),
        "parent_id": group.parent_id,
        "created_at": moment(group.created_at),
        "resource_access_token_creation_allowed": group.creation_allowed,
        "plan": group.plan.tier.name(),
        "trial": group.plan.trial,
    })
}

pub(super) fn project(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "path": project.path,
        "name_with_namespace": project.full_name(),
        "path_with_namespace": project.full_path(),
        "description": project.description,
        "visibility": project.visibility.name(),
        "archived": project.archived,
        "created_at": moment(project.created_at),
    })
}

pub(super) fn token(listed: &ListedToken, now: DateTime<Utc>) -> Value {
    let token = &listed.token;
    json!({
        "id": token.id,
        "kind": token.kind(),
        "name": token.name,
        "description": token.description,
        "scopes": token.scopes.names(),
        "access_level": listed.access_level.map(|level| level.number()),
        "expires_at": token.expires_at,
        "active": token.is_active(now),
        "revoked": token.is_revoked(now),
        "created_at": moment(token.created_at),
        "last_used_at": listed.last_used_at.map(moment),
        "user_id": token.user_id,
        "bot": listed.user.is_bot().then_some(&listed.user.username),
    })
}
