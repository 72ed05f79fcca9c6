//! Giving a token another name or description. What it may do and when it ends stays: that takes another value.

use serde_json::json;

use super::revoke::{find_personal, resource_of};
use super::{ListedToken, Resource, store};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors, What};
use crate::permissions::Right;
use crate::text::{Description, Name};

/// The new texts, as they were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// What it is called; its bot's name too.
    pub name: String,
    /// What it is for; empty for nothing.
    pub description: String,
}

/// Edits a token of a group or project.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't this resource's, and without the right; [`Error::Invalid`] by field;
/// [`Error::Refused`] for a revoked token.
pub fn edit(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
    texts: &Texts,
) -> Result<ListedToken, Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    let place = resource.place();
    if !ctx.actor.may(Right::EditToken, &place, &ctx.policy) {
        return Err(Error::NotFound(What::Thing));
    }
    let listed = store::find_of(conn, &resource, id)?.ok_or(Error::NotFound(What::Thing))?;
    write(conn, &ctx, listed, texts)
}

/// Edits one of a person's own personal tokens.
///
/// # Errors
/// As [`edit`].
pub fn edit_personal(
    conn: &mut DbConnection,
    ctx: &Context,
    id: i64,
    texts: &Texts,
) -> Result<ListedToken, Error> {
    let ctx = ctx.refreshed(conn)?;
    let listed = find_personal(conn, &ctx, id)?;
    write(conn, &ctx, listed, texts)
}

fn write(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: ListedToken,
    texts: &Texts,
) -> Result<ListedToken, Error> {
    if listed.token.is_in_grace(ctx.now) {
        return Err(Error::refused("token already rotated"));
    }
    if listed.token.revoked {
        return Err(Error::refused("token already revoked"));
    }
    let mut errors = FieldErrors::default();
    let name = Name::parse(&texts.name)
        .map_err(|problem| errors.add("name", problem.rule.to_string()))
        .ok();
    let description = Description::parse(&texts.description)
        .map_err(|problem| errors.add("description", problem.rule.to_string()))
        .ok();
    errors.check()?;
    let name = name.as_ref().map_or("", Name::as_str);
    let description = description.flatten();
    let description = description.as_ref().map(Description::as_str);
    let before = &listed.token;
    if before.name == name && before.description.as_deref() == description {
        return Ok(listed);
    }
    store::rename(conn, before.id, name, description, ctx.now)?;
    if listed.user.is_bot() && before.name != name {
        bots::rename(conn, listed.user.id, name, ctx.now)?;
    }
    let mut event = Event::new(
        format!("{}_access_token_edited", before.kind()),
        Target::Token(before.id, name),
    )
    .with(json!({
        "name": [before.name, name],
        "description": [before.description, description],
        "user_id": listed.user.id,
        "username": listed.user.username,
    }));
    let resource = resource_of(conn, &listed)?;
    if let Some(resource) = &resource {
        event = event.in_group(resource.group());
    }
    audit::record(conn, ctx, event)?;
    store::find(conn, before.id)?.ok_or(Error::NotFound(What::Thing))
}
