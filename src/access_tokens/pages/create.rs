//! What the form that makes a token does.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::super::create::{Created, NewAccessToken};
use super::super::refusals::{self, Attempt};
use super::form::Draft;
use super::holder::{Asked, Holder};
use super::index::{self, News};
use super::nonce::{INCOMPLETE, Nonce, replays};
use super::rows;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;
use crate::web::page::PageCall;
use crate::web::views::forms::FormErrors;

/// What became of a form.
enum Outcome {
    Made(Box<Created>),
    Replayed(DateTime<Utc>),
    Refused(String),
}

/// Makes a token of what was sent. The answer itself shows the value, once.
pub(super) async fn create(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let nonce = Nonce::sent(call);
    let (looked_for, used) = (asked.clone(), nonce.clone());
    let (holder, used_at) = call
        .read(move |conn, ctx| Ok((looked_for.find(conn, ctx)?, used.used_at(conn)?)))
        .await?;
    if let Some(at) = used_at {
        return index::after(call, asked, holder, News::Replayed(at)).await;
    }

    let ctx = &call.ctx;
    let draft = Draft::sent(&call.form, holder.kind());
    let (new, mut errors) = draft.check(
        &holder.scopes(ctx),
        holder.kind().has_role(),
        ctx.policy.limits(),
        ctx.today(),
    );
    if !nonce.is_given() {
        errors.add("", INCOMPLETE);
    }
    // Whoever may not make a token at all is told that, whatever they typed.
    if !errors.is_empty() && holder.allows(Right::CreateToken, ctx) {
        return index::after(call, asked, holder, News::Errors(draft, errors)).await;
    }

    let (target, marked) = (holder.clone(), nonce.clone());
    let written = call
        .write(move |conn, ctx| make(conn, ctx, &target, &new, &marked))
        .await;
    let news = match replays(call, written, &nonce, Outcome::Replayed).await? {
        Outcome::Made(created) => News::Created(rows::once(&created, &holder, false, ctx)),
        Outcome::Replayed(at) => News::Replayed(at),
        Outcome::Refused(reason) => News::Errors(draft, FormErrors::about_form(reason)),
    };
    index::after(call, asked, holder, news).await
}

fn make(
    conn: &mut DbConnection,
    ctx: &Context,
    holder: &Holder,
    new: &NewAccessToken,
    nonce: &Nonce,
) -> Result<Outcome, Error> {
    if let Some(at) = nonce.used_at(conn)? {
        return Ok(Outcome::Replayed(at));
    }
    match holder.create(conn, ctx, new) {
        Ok(Ok(created)) => {
            nonce.consume(conn, created.listed.token.id, ctx.now)?;
            Ok(Outcome::Made(Box::new(created)))
        }
        Ok(Err(Error::Refused(reason))) => Ok(Outcome::Refused(reason)),
        Err(Error::Refused(reason)) => {
            let details = json!({ "token_name": new.name, "reason": reason });
            refusals::note(conn, ctx, holder.whose(), Attempt::Creation, details)?;
            Ok(Outcome::Refused(reason))
        }
        Ok(Err(other)) | Err(other) => Err(other),
    }
}
