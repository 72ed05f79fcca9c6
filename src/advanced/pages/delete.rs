//! The end: **Delete group**, **Delete project**.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Action, Kind, find, subject, words};
use crate::access_tokens::Resource;
use crate::advanced::store;
use crate::context::Context;
use crate::error::Error;
use crate::groups::Group;
use crate::permissions::Place as Spot;
use crate::web::form_errors::on_form;
use crate::web::page::PageCall;
use crate::web::views::advanced::DeletePage;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::{groups, projects};

pub(super) async fn page(
    call: &PageCall,
    kind: Kind,
    typed: String,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let (resource, inside) = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path, Action::Delete)?;
            let inside = store::inside(conn, &resource, ctx.now)?;
            Ok((resource, inside))
        })
        .await?;
    let title = format!("Delete {}", resource.noun());
    let (shell, about) = subject(call, &resource, &title);
    let page = DeletePage {
        shell,
        about,
        typed,
        consequences: words::the_end(&resource, &inside),
        errors,
    };
    call.render(status, &page)
}

pub(super) async fn delete(call: &PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let field = match kind {
        Kind::Group => "group[confirm]",
        Kind::Project => "project[confirm]",
    };
    let typed = call.form.text(field).to_owned();
    let (confirmed, path) = (
        typed.trim().to_owned(),
        call.segment("full_path").to_owned(),
    );
    let deleted = call
        .write(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path, Action::Delete)?;
            if confirmed != resource.full_path() {
                return Ok((resource, false));
            }
            match &resource {
                Resource::Group(group) => groups::delete::delete(conn, ctx, group)?,
                Resource::Project(project) => projects::delete::delete(conn, ctx, project)?,
            }
            Ok((resource, true))
        })
        .await;
    let errors = match deleted {
        Ok((resource, true)) => {
            call.app.projects_gone.notify_one();
            let kind = match kind {
                Kind::Group => "Group",
                Kind::Project => "Project",
            };
            call.flash(
                Tone::Success,
                format!("{kind} '{}' was deleted.", resource.name()),
            );
            return Ok(call.redirect(&left_behind(&call.ctx, &resource)));
        }
        Ok((resource, false)) => {
            let mut errors = FormErrors::none();
            let text = format!(
                "What you typed isn't the full path of the {}. Nothing was deleted.",
                resource.noun()
            );
            errors.add("confirm", text);
            errors
        }
        Err(error) => on_form(error, &[])?,
    };
    page(call, kind, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// What is looked at when it is gone: the group above, if the viewer can see it, else their own list.
fn left_behind(ctx: &Context, resource: &Resource) -> String {
    match resource {
        Resource::Project(project) if ctx.actor.sees(&project.namespace.place(), &ctx.policy) => {
            format!("/{}", project.namespace.full_path)
        }
        Resource::Project(_) => "/dashboard/projects".into(),
        Resource::Group(group) => {
            visible_parent(ctx, group).unwrap_or_else(|| "/dashboard/groups".into())
        }
    }
}

fn visible_parent(ctx: &Context, group: &Group) -> Option<String> {
    let (path, _) = group.full_path.rsplit_once('/')?;
    let traversal = group.traversal.strip_suffix(&format!("{}/", group.id))?;
    // What lies above is at least as visible as the group was.
    let parent = Spot {
        group_id: group.parent_id?,
        traversal,
        ..group.place()
    };
    ctx.actor
        .sees(&parent, &ctx.policy)
        .then(|| format!("/{path}"))
}
