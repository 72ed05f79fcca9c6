//! Ending a membership, after asking.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Kind, Told, address, find, list_page, sentence, shell, user_id};
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::members::{Membership, change as changing};
use crate::users::User;
use crate::web::page::PageCall;
use crate::web::views::components::Tone;
use crate::web::views::members::RemoveMemberPage;

/// A membership that may be ended, or why it may not.
type Removable = Result<(Membership, User), String>;

fn find_removable(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
) -> Result<Removable, Error> {
    match changing::find_removable(conn, ctx, resource, id) {
        Ok(found) => Ok(Ok(found)),
        Err(Error::Forbidden(Some(reason))) => Ok(Err(sentence(&reason))),
        Err(Error::Forbidden(None)) => Err(resource.missing()),
        Err(error) => Err(error),
    }
}

pub(super) async fn confirm_remove(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), user_id(&call)?);
    let (resource, found) = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path)?;
            let found = find_removable(conn, ctx, &resource, id)?;
            Ok((resource, found))
        })
        .await?;
    let (membership, user) = match found {
        Ok(found) => found,
        // There is nothing to confirm: the reason stands above the list.
        Err(reason) => {
            call.flash(Tone::Danger, reason);
            return Ok(call.redirect(&address(&resource)));
        }
    };
    let leaving = call.ctx.actor.user_id() == Some(id);
    let title = if leaving { "Leave" } else { "Remove member" };
    call.ok(&RemoveMemberPage {
        shell: shell(&call, &resource, title),
        noun: resource.noun(),
        resource: resource.name().to_owned(),
        path: address(&resource),
        user_id: id,
        name: user.name,
        username: user.username,
        role: membership.access_level.to_string(),
        leaving,
    })
}

pub(super) async fn remove(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), user_id(&call)?);
    let removed = call
        .write(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path)?;
            let user = changing::remove(conn, ctx, &resource, id)?;
            Ok((resource, user))
        })
        .await;
    match removed {
        Ok((resource, user)) => {
            if call.ctx.actor.user_id() == Some(id) {
                call.flash(
                    Tone::Success,
                    format!("You left the {} '{}'.", resource.noun(), resource.name()),
                );
                // It may be hidden from now on.
                return Ok(call.redirect("/"));
            }
            call.flash(Tone::Success, format!("{} was removed.", user.name));
            Ok(call.redirect(&address(&resource)))
        }
        Err(Error::Forbidden(Some(reason))) => {
            let told = Told {
                add: None,
                change: Some((id, None, sentence(&reason))),
            };
            list_page(&call, kind, told, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::Forbidden(None)) => Err(Error::NotFound(What::Thing)),
        Err(error) => Err(error),
    }
}
