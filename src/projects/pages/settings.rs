//! Settings, General of a project.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::FIELDS;
use crate::access_tokens::Resource;
use crate::advanced::pages::section;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::Visibility;
use crate::groups::form::{levels, typed_level};
use crate::permissions::Right;
use crate::projects::store::{ProjectRef, find_visible};
use crate::projects::update::{self as updating, ProjectChanges};
use crate::projects::{Project, frame};
use crate::web::form_errors::on_form;
use crate::web::page::PageCall;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::web::views::projects::ProjectSettingsPage;
use crate::web::views::sidebar::Place;

/// What is in the form of the settings page; nothing: as it is.
#[derive(Debug, Clone, Default)]
struct TypedSettings {
    name: Option<String>,
    description: Option<String>,
    visibility: Option<Visibility>,
}

/// `GET /{full_path}/-/edit` (`EditProject`, `SeeProject`): Settings, General.
///
/// # Errors
/// [`Error::NotFound`] below the role Maintainer.
pub async fn edit(call: PageCall) -> Result<HttpResponse, Error> {
    edit_page(
        &call,
        TypedSettings::default(),
        FormErrors::none(),
        StatusCode::OK,
    )
    .await
}

/// `POST /{full_path}/-/edit` (`EditProject`, `SeeProject`).
///
/// # Errors
/// [`Error::NotFound`] below the role Maintainer.
pub async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let form = &call.form;
    let given = |field: &str| form.get(field).map(str::to_owned);
    let mut errors = FormErrors::none();
    let typed = TypedSettings {
        name: given("project[name]"),
        description: given("project[description]"),
        visibility: typed_level(form, "project[visibility_level]", &mut errors),
    };
    if !errors.is_empty() {
        return edit_page(&call, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let path = call.segment("full_path").to_owned();
    let changes = ProjectChanges {
        name: typed.name.clone(),
        description: typed.description.clone(),
        visibility: typed.visibility,
        ..ProjectChanges::default()
    };
    let saved = call
        .write(move |conn, ctx| {
            let project = find_editable(conn, ctx, &path)?;
            updating::update(conn, ctx, &project, &changes)
        })
        .await;
    match saved {
        Ok(project) => {
            call.flash(
                Tone::Success,
                format!("Project '{}' was successfully updated.", project.name),
            );
            Ok(call.redirect(&format!(
                "/{}/-/edit#js-general-settings",
                project.full_path()
            )))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            edit_page(&call, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// The project, if the actor may change it.
fn find_editable(conn: &mut DbConnection, ctx: &Context, path: &str) -> Result<Project, Error> {
    let project = find_visible(conn, ctx, &ProjectRef::Path(path.to_owned()))?;
    if ctx
        .actor
        .may(Right::EditProject, &project.place(), &ctx.policy)
    {
        Ok(project)
    } else {
        Err(Error::NotFound(What::Project))
    }
}

async fn edit_page(
    call: &PageCall,
    typed: TypedSettings,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let project = call
        .read(move |conn, ctx| find_editable(conn, ctx, &path))
        .await?;
    let mut shell = frame::shell(call, &project, "General settings", Place::General);
    let saved = shell.take_success();
    // Whoever comes from a page of Advanced looks for what became of it there.
    let in_advanced = call.query.text("section") == "advanced";
    let (saved, moved) = if in_advanced {
        (None, saved)
    } else {
        (saved, None)
    };
    let resource = Resource::Project(project.clone());
    let advanced = section(&call.ctx, &resource, in_advanced, moved);
    let namespace = &project.namespace;
    let ceiling = Some((namespace.full_path.as_str(), namespace.visibility));
    let page = ProjectSettingsPage {
        shell,
        id: project.id,
        full_path: project.full_path(),
        saved,
        advanced,
        visibility: levels(
            typed.visibility.unwrap_or(project.visibility),
            ceiling,
            None,
        ),
        name: typed.name.unwrap_or(project.row.name),
        description: typed.description.unwrap_or(project.row.description),
        errors,
    };
    call.render(status, &page)
}
