//! What the pages have in common: addresses, frame, form.

use actix_web::http::Method;

use super::super::create::Form;
use super::super::{Webhook, store};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::{self, Group};
use crate::web::form_errors::Field;
use crate::web::page::PageCall;
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::Place;
use crate::web::views::webhooks::WebhookForm;

/// The fields of the form.
pub(super) const FIELDS: [Field; 2] = [
    Field::new("name", "name", "Name"),
    Field::new("url", "url", "URL"),
];

/// What was typed.
pub(super) fn typed(call: &PageCall) -> Form {
    Form {
        name: call.form.text("webhook[name]").to_owned(),
        url: call.form.text("webhook[url]").to_owned(),
    }
}

/// The form with this in it.
pub(super) fn form(ctx: &Context, typed: Form, open: bool, errors: FormErrors) -> WebhookForm {
    WebhookForm {
        open,
        name: typed.name,
        url: typed.url,
        allows_local: ctx
            .policy
            .settings
            .allow_local_requests_from_web_hooks_and_services,
        errors,
    }
}

/// Where the list is.
pub(super) fn list_path(group: &Group) -> String {
    format!("/groups/{}/-/hooks", group.full_path)
}

/// Where one webhook is.
pub(super) fn webhook_path(group: &Group, id: i64) -> String {
    format!("{}/{id}", list_path(group))
}

/// A number in the address.
pub(super) fn number(call: &PageCall, segment: &str) -> Result<i64, Error> {
    call.segment(segment)
        .parse()
        .map_err(|_| Error::NotFound(What::Thing))
}

/// The group and the webhook that the address names.
pub(super) fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    path: &str,
    id: i64,
) -> Result<(Group, Webhook), Error> {
    let group = store::find_group(conn, ctx, path)?;
    let webhook = store::find_of(conn, &group, id)?;
    Ok((group, webhook))
}

/// Who may not, finds nothing.
pub(super) fn hidden(error: Error) -> Error {
    match error {
        Error::Forbidden(None) => Error::NotFound(What::Thing),
        other => other,
    }
}

/// The frame of the list and of the pages below it; `below` are the steps from the list to the page. A page that
/// answers a form leads back to `home`.
pub(super) fn shell(call: &PageCall, group: &Group, below: Vec<Crumb>, home: String) -> Shell {
    let mut shell = groups::frame::shell(call, group, "Webhooks", Place::Webhooks);
    if let Some(page) = below.last() {
        shell.title = format!("{} · {}", page.label, shell.title);
        if let Some(list) = shell.breadcrumbs.last_mut() {
            list.href = Some(list_path(group));
        }
        shell.breadcrumbs.extend(below);
    }
    if *call.req().method() != Method::GET {
        shell.return_to = home;
    }
    shell
}
