//! One delivery, and sending it again.

use actix_web::HttpResponse;
use serde_json::Value;

use super::super::{
    Delivery, DeliveryState, Since, State, Webhook, call as calling, log, send, store,
};
use super::rows;
use super::scene::{find, hidden, number, shell, webhook_path};
use crate::context::Context;
use crate::error::Error;
use crate::web::page::PageCall;
use crate::web::views::components::{Moment, Tone};
use crate::web::views::shell::Crumb;
use crate::web::views::webhooks::DeliveryPage;

/// Answers with the page.
pub(super) async fn show(call: &PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let (id, delivery_id) = (number(call, "id")?, number(call, "delivery_id")?);
    let (group, webhook, delivery) = call
        .read(move |conn, ctx| {
            let (group, webhook) = find(conn, ctx, &path, id)?;
            let delivery = log::find_of(conn, &webhook, delivery_id)?;
            Ok((group, webhook, delivery))
        })
        .await?;
    let now = call.ctx.now;
    let webhook_path = webhook_path(&group, webhook.id);
    let settled = matches!(
        delivery.state,
        DeliveryState::Delivered | DeliveryState::Failed
    );
    let steps = vec![
        Crumb::link(&webhook.name, webhook_path.clone()),
        Crumb::here(format!("Delivery {}", delivery.id)),
    ];
    call.ok(&DeliveryPage {
        shell: shell(call, &group, steps, webhook_path.clone()),
        path: call.path().to_owned(),
        webhook_path,
        row: rows::delivery(&delivery, now),
        attempted: delivery.attempted_at.0.map(|at| Moment::at(at, now)),
        next_attempt: (delivery.state == DeliveryState::Waiting)
            .then(|| rows::exact(delivery.due_at)),
        redelivery_of: delivery.redelivery_of,
        can_redeliver: settled && webhook.state == State::Enabled,
        headers: headers(&call.ctx, &webhook, &delivery),
        body: on_several_lines(&delivery.body),
        answer: delivery
            .response_status
            .map(|status| (status, delivery.response_body.clone().unwrap_or_default())),
        error: delivery.error.unwrap_or_default(),
        url: webhook.url,
    })
}

/// Sends it again.
pub(super) async fn redeliver(call: &PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let (id, delivery_id) = (number(call, "id")?, number(call, "delivery_id")?);
    let done = call
        .write(move |conn, ctx| {
            let group = store::find_group(conn, ctx, &path)?;
            let webhook = store::find_of(conn, &group, id)?;
            let sent = send::redeliver(conn, ctx, &group, id, delivery_id);
            Ok((webhook_path(&group, webhook.id), sent.map(|_| ())))
        })
        .await?;
    match done {
        (back, Ok(())) => {
            call.flash(
                Tone::Success,
                "It is on its way once more. Reload the page to see what comes of it.",
            );
            Ok(call.redirect(&back))
        }
        (back, Err(Error::Refused(reason))) => {
            call.flash(Tone::Danger, format!("{reason}."));
            Ok(call.redirect(&back))
        }
        (_, Err(error)) => Err(hidden(error)),
    }
}

/// The headers of the last attempt; before the first, those that it will have.
fn headers(ctx: &Context, webhook: &Webhook, delivery: &Delivery) -> String {
    let Since(attempted_at) = delivery.attempted_at;
    let sent_at = attempted_at.unwrap_or(ctx.now).timestamp();
    calling::headers(&ctx.instance, webhook, delivery, sent_at)
        .into_iter()
        .chain([("webhook-signature", "v1,…".to_owned())])
        .map(|(name, value)| format!("{name}: {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn on_several_lines(body: &str) -> String {
    serde_json::from_str(body)
        .and_then(|value: Value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| body.to_owned())
}
