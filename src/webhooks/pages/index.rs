//! The list, and the form that makes a webhook.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::super::create::{self as making, Form, PER_GROUP};
use super::super::{Delivery, Webhook, log, store};
use super::rows;
use super::scene::{FIELDS, form, list_path, shell, typed};
use super::show::with_key;
use crate::error::Error;
use crate::groups::Group;
use crate::web::form_errors::on_form;
use crate::web::page::PageCall;
use crate::web::views::forms::FormErrors;
use crate::web::views::webhooks::WebhooksPage;

/// Answers with the list.
pub(super) async fn show(call: &PageCall) -> Result<HttpResponse, Error> {
    let blank = Form {
        name: String::new(),
        url: String::new(),
    };
    let open = call.query.is_ticked("new");
    page(call, blank, open, FormErrors::none(), StatusCode::OK).await
}

/// Makes a webhook. The answer itself shows its key, once.
pub(super) async fn create(call: &PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let wanted = typed(call);
    let made = call
        .write(move |conn, ctx| {
            let group = store::find_group(conn, ctx, &path)?;
            let keyed = making::create(conn, ctx, &group, &wanted)?;
            Ok((group, keyed))
        })
        .await;
    match made {
        Ok((group, keyed)) => with_key(call, group, keyed, false).await,
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            page(
                call,
                typed(call),
                true,
                errors,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await
        }
    }
}

async fn page(
    call: &PageCall,
    typed: Form,
    open: bool,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let (group, webhooks, newest): (Group, Vec<Webhook>, Vec<Delivery>) = call
        .read(move |conn, ctx| {
            let group = store::find_group(conn, ctx, &path)?;
            let webhooks = store::of_group(conn, &group)?;
            let newest = log::newest_of_each(conn, &webhooks)?;
            Ok((group, webhooks, newest))
        })
        .await?;
    let now = call.ctx.now;
    let newest: HashMap<i64, Delivery> = newest
        .into_iter()
        .map(|delivery| (delivery.webhook_id, delivery))
        .collect();
    let full = i64::try_from(webhooks.len()).is_ok_and(|count| count >= PER_GROUP);
    let page = WebhooksPage {
        shell: shell(call, &group, Vec::new(), list_path(&group)),
        path: list_path(&group),
        form: (!full || !errors.is_empty()).then(|| form(&call.ctx, typed, open, errors)),
        rows: webhooks
            .into_iter()
            .map(|webhook| {
                let last = newest.get(&webhook.id);
                rows::webhook(webhook, last, now)
            })
            .collect(),
        limit: PER_GROUP,
    };
    call.render(status, &page)
}
