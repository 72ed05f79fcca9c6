//! The form of a new project.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::FIELDS;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::git::repository;
use crate::groups::form::{levels, typed_level};
use crate::groups::store::{GroupRef, find_personal};
use crate::groups::{self, Group, Visibility, tree};
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::projects::create::{self as creating, NewProjectForm};
use crate::web::form_errors::on_form;
use crate::web::frame as plain_frame;
use crate::web::page::PageCall;
use crate::web::views::components::{Choice, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::projects::NewProjectPage;
use crate::web::views::sidebar::Place;

/// Groups that the form offers at the most.
const NAMESPACES_OFFERED: i64 = 500;

/// What is in the form of a new project.
#[derive(Debug, Clone, Default)]
struct Typed {
    namespace_id: Option<i64>,
    name: String,
    path: String,
    description: String,
    visibility: Option<Visibility>,
}

/// `GET /projects/new?namespace_id=` (`CreateProject`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for a group where one may not make a project.
pub async fn new(call: PageCall) -> Result<HttpResponse, Error> {
    let namespace_id = namespace_id(call.query.text("namespace_id"))?;
    let typed = Typed {
        namespace_id,
        ..Typed::default()
    };
    new_page(&call, typed, FormErrors::none(), StatusCode::OK).await
}

/// `POST /projects` (`CreateProject`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for a group where one may not make a project.
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    let form = &call.form;
    let mut errors = FormErrors::none();
    let typed = Typed {
        namespace_id: namespace_id(form.text("project[namespace_id]"))?,
        name: form.text("project[name]").into(),
        path: form.text("project[path]").into(),
        description: form.text("project[description]").into(),
        visibility: typed_level(form, "project[visibility_level]", &mut errors),
    };
    if typed.name.trim().is_empty() {
        errors.add("name", "Project name can't be blank");
    }
    if !errors.is_empty() {
        return new_page(&call, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let new_project = NewProjectForm {
        name: Some(typed.name.clone()),
        path: Some(typed.path.trim().to_owned()),
        description: typed.description.clone(),
        visibility: typed.visibility,
    };
    let namespace_id = typed.namespace_id;
    let made = call
        .write(move |conn, ctx| {
            let namespace = find_namespace(conn, ctx, namespace_id)?;
            creating::create(conn, ctx, &namespace, &new_project)
        })
        .await;
    match made {
        Ok(project) => {
            repository::make(&call.app, &project).await;
            call.flash(
                Tone::Success,
                format!("Project '{}' was successfully created.", project.name),
            );
            Ok(call.redirect(&format!("/{}", project.full_path())))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            new_page(&call, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// Nothing for one's own namespace.
fn namespace_id(text: &str) -> Result<Option<i64>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| Error::NotFound(What::Group))
}

/// The group with this id, or one's own namespace, if the actor may make a project there.
fn find_namespace(conn: &mut DbConnection, ctx: &Context, id: Option<i64>) -> Result<Group, Error> {
    let found = match id {
        Some(id) => groups::store::find_by_ref(conn, &GroupRef::Id(id))?,
        None => find_personal(conn, ctx.actor.user_id().unwrap_or(0))?,
    };
    found
        .filter(|namespace| {
            let (place, policy) = (namespace.place(), &ctx.policy);
            ctx.actor.sees(&place, policy) && ctx.actor.may(Right::CreateProject, &place, policy)
        })
        .ok_or(Error::NotFound(What::Group))
}

async fn new_page(
    call: &PageCall,
    typed: Typed,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let wanted = typed.namespace_id;
    let (chosen, offered) = call
        .read(move |conn, ctx| {
            let chosen = find_namespace(conn, ctx, wanted)?;
            let mut offered =
                tree::with_role(conn, ctx, AccessLevel::Developer, NAMESPACES_OFFERED)?;
            if !chosen.is_personal() {
                offered.extend(find_personal(conn, ctx.actor.user_id().unwrap_or(0))?);
            }
            if !offered.iter().any(|namespace| namespace.id == chosen.id) {
                offered.push(chosen.clone());
            }
            Ok((chosen, offered))
        })
        .await?;
    let ctx = &call.ctx;
    let current = chosen.id.to_string();
    // Another choice of group may allow more, so a level is switched off only if there is no other.
    let only = offered.len() == 1;
    let ceiling = only.then_some((chosen.full_path.as_str(), chosen.visibility));
    let usual = ctx
        .policy
        .settings
        .default_project_visibility
        .min(chosen.visibility);
    let (shell, cancel_href) = if typed.namespace_id.is_some() && !chosen.is_personal() {
        let shell = groups::frame::shell(call, &chosen, "New project", Place::Elsewhere);
        (shell, format!("/{}", chosen.full_path))
    } else {
        (
            plain_frame::shell(call, "New project", Place::Projects),
            "/dashboard/projects".into(),
        )
    };
    let page = NewProjectPage {
        shell,
        namespaces: offered
            .iter()
            .map(|namespace| Choice::new(namespace.id.to_string(), &namespace.full_path, &current))
            .collect(),
        url_prefix: ctx.url("/"),
        visibility: levels(typed.visibility.unwrap_or(usual), ceiling, None),
        name: typed.name,
        path: typed.path,
        description: typed.description,
        cancel_href,
        errors,
    };
    call.render(status, &page)
}
