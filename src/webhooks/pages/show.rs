//! One webhook: its log, its form, and its key when it was just made.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};

use super::super::create::{Form, Keyed};
use super::super::{Delivery, Since, Webhook, change, log, send, store};
use super::rows;
use super::scene::{FIELDS, form, hidden, number, shell, typed, webhook_path};
use crate::db::{Page, PageRequest};
use crate::error::Error;
use crate::groups::Group;
use crate::web::form_errors::on_form;
use crate::web::lists::{address, foot, page_or_last, total};
use crate::web::page::PageCall;
use crate::web::views::components::{Loaded, Moment, Tone};
use crate::web::views::dates::ago;
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::Crumb;
use crate::web::views::webhooks::{DeliveryLog, OneTimeKey, WebhookPage};

/// Deliveries on one page of the log.
const PER_PAGE: i64 = 50;

/// What is read for the page.
struct Found {
    group: Group,
    webhook: Webhook,
    creator: Option<String>,
    log: Option<Page<Delivery>>,
}

/// Answers with the page.
pub(super) async fn show(call: &PageCall) -> Result<HttpResponse, Error> {
    let found = read(call, number(call, "id")?, call.query.page("page")).await?;
    let typed = as_it_is(&found.webhook);
    render(call, found, typed, FormErrors::none(), None, StatusCode::OK)
}

/// Answers with the page and the key that was just made.
pub(super) async fn with_key(
    call: &PageCall,
    group: Group,
    keyed: Keyed,
    reset: bool,
) -> Result<HttpResponse, Error> {
    let key = OneTimeKey {
        value: keyed.key.expose().to_string(),
        reset,
        name: keyed.webhook.name.clone(),
    };
    let found = match read(call, keyed.webhook.id, 1).await {
        Ok(found) => found,
        // The key is in our hands and nowhere else: it is shown, whatever happened meanwhile.
        Err(error) => {
            tracing::error!(%error, "A webhook could not be read again");
            Found {
                group,
                webhook: keyed.webhook,
                creator: None,
                log: None,
            }
        }
    };
    let typed = as_it_is(&found.webhook);
    let errors = FormErrors::none();
    render(call, found, typed, errors, Some(key), StatusCode::OK)
}

/// Does what the form asks for.
pub(super) async fn act(call: &PageCall) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), number(call, "id")?);
    let action = call.form.text("hook_action").to_owned();
    let wanted = typed(call);
    let done = call
        .write(move |conn, ctx| {
            let group = store::find_group(conn, ctx, &path)?;
            let (webhook, news) = match action.as_str() {
                "enable" => (
                    change::enable(conn, ctx, &group, id)?,
                    "It is called again, from the next event on.",
                ),
                "test" => (
                    send::test(conn, ctx, &group, id)?,
                    "A test is on its way. Reload the page to see what comes of it.",
                ),
                _ => (
                    change::update(conn, ctx, &group, id, &wanted)?,
                    "The webhook was updated.",
                ),
            };
            Ok((group, webhook, news))
        })
        .await;
    match done {
        Ok((group, webhook, news)) => {
            call.flash(Tone::Success, news);
            Ok(call.redirect(&webhook_path(&group, webhook.id)))
        }
        Err(error) => {
            let errors = on_form(hidden(error), &FIELDS)?;
            let found = read(call, id, 1).await?;
            let typed = match call.form.text("hook_action") {
                "enable" | "test" => as_it_is(&found.webhook),
                _ => typed(call),
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            render(call, found, typed, errors, None, status)
        }
    }
}

fn as_it_is(webhook: &Webhook) -> Form {
    Form {
        name: webhook.name.clone(),
        url: webhook.url.clone(),
    }
}

async fn read(call: &PageCall, id: i64, page: i64) -> Result<Found, Error> {
    let path = call.segment("full_path").to_owned();
    let request = PageRequest {
        page,
        per_page: PER_PAGE,
    };
    call.read(move |conn, ctx| {
        let group = store::find_group(conn, ctx, &path)?;
        let (webhook, creator) = store::find_with_creator(conn, &group, id)?;
        let log = page_or_last(request, |request| log::page(conn, &webhook, request))?;
        Ok(Found {
            group,
            webhook,
            creator,
            log: Some(log),
        })
    })
    .await
}

fn render(
    call: &PageCall,
    found: Found,
    typed: Form,
    errors: FormErrors,
    key: Option<OneTimeKey>,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let Found {
        group,
        webhook,
        creator,
        log,
    } = found;
    let now = call.ctx.now;
    let path = webhook_path(&group, webhook.id);
    let disabled = match (webhook.disabled_at, &webhook.disabled_reason) {
        (Since(Some(at)), Some(reason)) => Some((Moment::at(at, now), reason.clone())),
        _ => None,
    };
    let steps = vec![Crumb::here(&webhook.name)];
    let page = WebhookPage {
        shell: shell(call, &group, steps, path.clone()),
        made: match creator {
            Some(name) => format!("Added {} by {name}", ago(webhook.created_at, now)),
            None => format!("Added {}", ago(webhook.created_at, now)),
        },
        key,
        state: rows::state(webhook.state),
        disabled,
        form: form(&call.ctx, typed, true, errors),
        log: match log {
            Some(page) => Loaded::Ready(rows_of(page, &path, now)),
            None => Loaded::Failed {
                request_id: call.ctx.actor.origin.request_id.clone(),
            },
        },
        name: webhook.name,
        path,
    };
    call.render(status, &page)
}

fn rows_of(page: Page<Delivery>, path: &str, now: DateTime<Utc>) -> DeliveryLog {
    DeliveryLog {
        count: total(page.total),
        pagination: foot("Deliveries", &page, |number| {
            address(path, &[("page", &number.to_string())])
        }),
        rows: page
            .rows
            .iter()
            .map(|delivery| rows::delivery(delivery, now))
            .collect(),
    }
}
