//! The pages that ask before a webhook is deleted or gets another key, and what they then do.

use actix_web::HttpResponse;

use super::super::{change, store};
use super::scene::{find, hidden, list_path, number, shell, webhook_path};
use super::show;
use crate::error::{Error, What};
use crate::web::page::PageCall;
use crate::web::views::components::Tone;
use crate::web::views::shell::Crumb;
use crate::web::views::webhooks::{ConfirmPage, Question};

/// What the address asks.
fn question(call: &PageCall) -> Result<Question, Error> {
    match call.segment("action") {
        "delete" => Ok(Question::Delete),
        "reset_key" => Ok(Question::ResetKey),
        _ => Err(Error::NotFound(What::Thing)),
    }
}

/// Asks.
pub(super) async fn ask(call: &PageCall) -> Result<HttpResponse, Error> {
    let question = question(call)?;
    let (path, id) = (call.segment("full_path").to_owned(), number(call, "id")?);
    let (group, webhook) = call
        .read(move |conn, ctx| find(conn, ctx, &path, id))
        .await?;
    let webhook_path = webhook_path(&group, webhook.id);
    let steps = vec![
        Crumb::link(&webhook.name, webhook_path.clone()),
        Crumb::here(match question {
            Question::Delete => "Delete",
            Question::ResetKey => "Reset signing key",
        }),
    ];
    call.ok(&ConfirmPage {
        shell: shell(call, &group, steps, webhook_path.clone()),
        path: call.path().to_owned(),
        webhook_path,
        name: webhook.name,
        question,
    })
}

/// Does it.
pub(super) async fn confirmed(call: &PageCall) -> Result<HttpResponse, Error> {
    let question = question(call)?;
    let (path, id) = (call.segment("full_path").to_owned(), number(call, "id")?);
    match question {
        Question::Delete => {
            let (group, webhook) = call
                .write(move |conn, ctx| {
                    let group = store::find_group(conn, ctx, &path)?;
                    let webhook = change::delete(conn, ctx, &group, id)?;
                    Ok((group, webhook))
                })
                .await
                .map_err(hidden)?;
            let news = format!("Deleted webhook {}.", webhook.name);
            call.flash(Tone::Success, news);
            Ok(call.redirect(&list_path(&group)))
        }
        Question::ResetKey => {
            let (group, keyed) = call
                .write(move |conn, ctx| {
                    let group = store::find_group(conn, ctx, &path)?;
                    let keyed = change::reset_key(conn, ctx, &group, id)?;
                    Ok((group, keyed))
                })
                .await
                .map_err(hidden)?;
            show::with_key(call, group, keyed, true).await
        }
    }
}
