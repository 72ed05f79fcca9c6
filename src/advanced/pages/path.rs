//! Another address: **Change group URL**, **Change project URL**.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Action, Kind, find, settings, subject, words};
use crate::access_tokens::Resource;
use crate::advanced::store;
use crate::error::Error;
use crate::groups::update::{self as group_updating, GroupChanges};
use crate::projects::update::{self as project_updating, ProjectChanges};
use crate::web::form_errors::{Field, on_form};
use crate::web::page::PageCall;
use crate::web::views::advanced::PathPage;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;

pub(super) async fn page(
    call: &PageCall,
    kind: Kind,
    typed: Option<String>,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let (resource, inside) = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path, Action::Path)?;
            let inside = store::inside(conn, &resource, ctx.now)?;
            Ok((resource, inside))
        })
        .await?;
    let full_path = resource.full_path();
    let (above, last) = full_path.rsplit_once('/').unwrap_or(("", &full_path));
    let prefix = match above {
        "" => call.ctx.url("/"),
        above => call.ctx.url(&format!("/{above}/")),
    };
    let title = format!("Change {} URL", resource.noun());
    let (shell, about) = subject(call, &resource, &title);
    let page = PathPage {
        shell,
        about,
        prefix,
        path: typed.unwrap_or_else(|| last.to_owned()),
        consequences: words::other_address(&resource, &inside),
        errors,
    };
    call.render(status, &page)
}

pub(super) async fn change(call: &PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, noun, caption) = match kind {
        Kind::Group => ("group[path]", "group", "Group URL"),
        Kind::Project => ("project[path]", "project", "Project URL"),
    };
    let typed = call.form.text(path).trim().to_owned();
    let (wanted, address) = (typed.clone(), call.segment("full_path").to_owned());
    let changed = call
        .write(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &address, Action::Path)?;
            let path = Some(wanted.clone());
            match &resource {
                Resource::Group(group) if group.path != wanted => {
                    let changes = GroupChanges {
                        path,
                        ..GroupChanges::default()
                    };
                    group_updating::update(conn, ctx, group, &changes).map(Resource::Group)
                }
                Resource::Project(project) if project.path != wanted => {
                    let changes = ProjectChanges {
                        path,
                        ..ProjectChanges::default()
                    };
                    project_updating::update(conn, ctx, project, &changes).map(Resource::Project)
                }
                _ => Err(Error::invalid(
                    "path",
                    format!("is the one that the {noun} has"),
                )),
            }
        })
        .await;
    match changed {
        Ok(resource) => {
            let kind = match kind {
                Kind::Group => "Group",
                Kind::Project => "Project",
            };
            call.flash(
                Tone::Success,
                format!("{kind} '{}' was successfully updated.", resource.name()),
            );
            Ok(call.redirect(&settings(&resource)))
        }
        Err(error) => {
            let errors = on_form(error, &[Field::new("path", "path", caption)])?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(call, kind, Some(typed), errors, status).await
        }
    }
}
