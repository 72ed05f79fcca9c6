//! `/api/v4/groups`.

use actix_web::HttpResponse;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::Group;
use super::store::{GroupRef, find_visible, find_visible_with_projects};
use crate::context::Context;
use crate::error::Error;
use crate::permissions::Right;
use crate::projects::Project;
use crate::projects::api::object as project_object;
use crate::web::api::ApiCall;

/// Projects shown with their group at the most.
const PROJECTS_SHOWN: usize = 100;

/// A group as the API shows it. Constants stand where strict clients expect a field that we don't have.
pub fn object(ctx: &Context, group: &Group) -> Value {
    json!({
        "id": group.id,
        "web_url": ctx.url(&format!("/groups/{}", group.full_path)),
        "name": group.name,
        "path": group.path,
        "description": group.description,
        "visibility": group.visibility.name(),
        "share_with_group_lock": false,
        "require_two_factor_authentication": false,
        "two_factor_grace_period": 48,
        "project_creation_level": "developer",
        "auto_devops_enabled": null,
        "subgroup_creation_level": "maintainer",
        "emails_disabled": false,
        "emails_enabled": true,
        "mentions_disabled": null,
        "lfs_enabled": true,
        "request_access_enabled": true,
        "default_branch_protection": 2,
        "avatar_url": null,
        "full_name": group.full_name,
        "full_path": group.full_path,
        "created_at": group.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "parent_id": group.parent_id,
        "organization_id": 1,
        "shared_runners_setting": "enabled",
    })
}

/// `GET /groups/:id`. Whoever may see it.
pub async fn show(call: ApiCall) -> Result<HttpResponse, Error> {
    let with_projects = call
        .params
        .read(|params| params.boolean("with_projects"))?
        .unwrap_or(true);
    let name = GroupRef::parse(&call.segment("id"));
    let (group, inside) = call
        .read(move |conn, ctx| {
            if with_projects {
                find_visible_with_projects(conn, ctx, &name)
            } else {
                Ok((find_visible(conn, ctx, &name)?, Vec::new()))
            }
        })
        .await?;
    let ctx = &call.ctx;
    let mut shown = object(ctx, &group);
    if ctx
        .actor
        .could(Right::EditGroup, &group.place(), &ctx.policy)
    {
        shown["resource_access_token_creation_allowed"] = json!(group.creation_allowed);
    }
    if with_projects {
        let projects: Vec<Value> = inside
            .into_iter()
            .map(|row| Project {
                row,
                namespace: group.clone(),
            })
            .filter(|project| {
                ctx.actor
                    .may(Right::SeeProject, &project.place(), &ctx.policy)
            })
            .take(PROJECTS_SHOWN)
            .map(|project| project_object(ctx, &project, true))
            .collect();
        shown["projects"] = json!(projects);
        shown["shared_projects"] = json!([]);
    }
    Ok(HttpResponse::Ok().json(shown))
}
