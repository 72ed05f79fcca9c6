//! `/api/v4/projects`, and the projects of a group.

use actix_web::HttpResponse;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::create::NewProjectForm;
use super::store::{Filter, Order, ProjectRef, find_visible, list_visible};
use super::update::ProjectChanges;
use super::{Project, create as creating, delete as deleting, update as updating};
use crate::context::Context;
use crate::db::PageRequest;
use crate::error::{Error, What};
use crate::groups::store::GroupRef;
use crate::groups::{self, Group, Visibility};
use crate::members::AccessLevel;
use crate::web::api::ApiCall;

/// A project as the API shows it; `simple` stops after the namespace.
pub fn object(ctx: &Context, project: &Project, simple: bool) -> Value {
    let path = project.full_path();
    let moment =
        |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut shown = json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": project.full_name(),
        "path": project.path,
        "path_with_namespace": path,
        "created_at": moment(project.created_at),
        "default_branch": project.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": format!("git@{}:{path}.git", ctx.instance.host),
        "http_url_to_repo": ctx.url(&format!("/{path}.git")),
        "web_url": ctx.url(&format!("/{path}")),
        "readme_url": null,
        "forks_count": 0,
        "avatar_url": null,
        "star_count": 0,
        "last_activity_at": moment(project.last_activity_at),
        "namespace": namespace(ctx, &project.namespace),
    });
    if simple {
        return shown;
    }
    let more = json!({
        "visibility": project.visibility.name(),
        "archived": project.archived,
        "empty_repo": true,
        "creator_id": project.creator_id,
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut shown, more) {
        fields.extend(more);
        if ctx.actor.is_signed_in() {
            fields.insert("permissions".into(), permissions(ctx, project));
        }
        if let Some(owner_id) = project.namespace.owner_id {
            let owner = json!({ "id": owner_id, "name": project.namespace.name, "username": project.namespace.path });
            fields.insert("owner".into(), owner);
        }
    }
    shown
}

fn namespace(ctx: &Context, group: &Group) -> Value {
    let (kind, web_path) = if group.is_personal() {
        ("user", format!("/{}", group.full_path))
    } else {
        ("group", format!("/groups/{}", group.full_path))
    };
    json!({
        "id": group.id,
        "name": group.name,
        "path": group.path,
        "kind": kind,
        "full_path": group.full_path,
        "parent_id": group.parent_id,
        "avatar_url": null,
        "web_url": ctx.url(&web_path),
    })
}

/// The caller's own roles: from the project itself, and from its groups.
fn permissions(ctx: &Context, project: &Project) -> Value {
    let access = |level: Option<AccessLevel>| {
        level.map(|level| json!({ "access_level": level.number(), "notification_level": 3 }))
    };
    let memberships = &ctx.actor.memberships;
    let direct = memberships
        .iter()
        .find(|membership| membership.project_id == Some(project.id))
        .map(|membership| membership.access_level);
    json!({
        "project_access": access(direct),
        "group_access": access(memberships.on_group(&project.namespace.traversal)),
    })
}

/// `GET /projects/:id`. Whoever may see it.
pub async fn show(call: ApiCall) -> Result<HttpResponse, Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    let project = call
        .read(move |conn, ctx| find_visible(conn, ctx, &name))
        .await?;
    Ok(HttpResponse::Ok().json(object(&call.ctx, &project, false)))
}

/// `GET /groups/:id/projects`. Those that the caller may see.
pub async fn of_group(call: ApiCall) -> Result<HttpResponse, Error> {
    let (mut filter, include_subgroups, simple, request) = call.params.read(|params| {
        let include_subgroups = params.boolean("include_subgroups");
        let archived = params.boolean("archived");
        let visibility = params.choice("visibility", Visibility::parse);
        let search = params.text("search");
        let simple = params.boolean("simple");
        let order = params.choice("order_by", |word| match word {
            "created_at" => Some(Order::CreatedAt),
            "id" => Some(Order::Id),
            "name" => Some(Order::Name),
            "path" => Some(Order::Path),
            "last_activity_at" | "updated_at" => Some(Order::LastActivityAt),
            _ => None,
        });
        let sort = params.choice("sort", |word| match word {
            "asc" => Some(true),
            "desc" => Some(false),
            _ => None,
        });
        let (page, per_page) = (params.page(), params.per_page());
        let filter = Filter {
            search: search?,
            visibility: visibility?,
            archived: archived?,
            order: order?.unwrap_or_default(),
            ascending: sort?.unwrap_or(false),
            ..Filter::default()
        };
        let request = PageRequest {
            page: page?,
            per_page: per_page?,
        };
        Ok((
            filter,
            include_subgroups?.unwrap_or(false),
            simple?.unwrap_or(false),
            request,
        ))
    })?;
    let name = GroupRef::parse(&call.segment("id"));
    let page = call
        .read(move |conn, ctx| {
            let group = groups::store::find_visible(conn, ctx, &name)?;
            if include_subgroups {
                filter.below = Some(group.traversal);
            } else {
                filter.group_id = Some(group.id);
            }
            list_visible(conn, ctx, &filter, request)
        })
        .await?;
    let ctx = call.ctx.clone();
    Ok(call.list(page, |project| object(&ctx, &project, simple)))
}

/// `POST /projects`. Developers of the group, or the person whose namespace it is.
pub async fn create(call: ApiCall) -> Result<HttpResponse, Error> {
    let (namespace_id, form) = call.params.read(|params| {
        let (name, path) = (params.text("name"), params.text("path"));
        let namespace_id = params.integer("namespace_id");
        let visibility = params.choice("visibility", Visibility::parse);
        let description = params.text("description");
        let form = NewProjectForm {
            name: name?,
            path: path?,
            description: description?.unwrap_or_default(),
            visibility: visibility?,
        };
        Ok((namespace_id?, form))
    })?;
    if form.name.is_none() && form.path.is_none() {
        let text = "name, path are missing, at least one parameter must be provided";
        return Err(Error::Parameter(text.into()));
    }
    let project = call
        .write(move |conn, ctx| {
            let user_id = ctx.actor.user_id().unwrap_or(0);
            let namespace = match namespace_id {
                Some(id) => groups::store::find(conn, id)?
                    .filter(|group| match group.owner_id {
                        Some(_) => ctx.actor.level(&group.place()).is_some(),
                        None => ctx.actor.may(
                            crate::permissions::Right::SeeGroup,
                            &group.place(),
                            &ctx.policy,
                        ),
                    })
                    .ok_or(Error::NotFound(What::Namespace))?,
                // A bot has no namespace of its own.
                None => {
                    groups::store::find_personal(conn, user_id)?.ok_or_else(Error::forbidden)?
                }
            };
            creating::create(conn, ctx, &namespace, &form)
        })
        .await?;
    Ok(HttpResponse::Created().json(object(&call.ctx, &project, false)))
}

/// `PUT /projects/:id`. Maintainers.
pub async fn update(call: ApiCall) -> Result<HttpResponse, Error> {
    let changes = call.params.read(|params| {
        let (name, path) = (params.text("name"), params.text("path"));
        let description = params.text_or_empty("description");
        let visibility = params.choice("visibility", Visibility::parse);
        Ok(ProjectChanges {
            name: name?,
            path: path?,
            description: description?,
            visibility: visibility?,
            archived: None,
        })
    })?;
    let name = ProjectRef::parse(&call.segment("id"));
    let project = call
        .write(move |conn, ctx| {
            let project = find_visible(conn, ctx, &name)?;
            updating::update(conn, ctx, &project, &changes)
        })
        .await?;
    Ok(HttpResponse::Ok().json(object(&call.ctx, &project, false)))
}

/// `DELETE /projects/:id`. Owners.
pub async fn delete(call: ApiCall) -> Result<HttpResponse, Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    call.write(move |conn, ctx| {
        let project = find_visible(conn, ctx, &name)?;
        deleting::delete(conn, ctx, &project)
    })
    .await?;
    Ok(HttpResponse::Accepted().json(json!({ "message": "202 Accepted" })))
}
