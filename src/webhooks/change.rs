//! Changing, enabling, disabling and deleting a webhook, and giving it another key.

use serde_json::json;

use super::create::{Form, Keyed, allowed, check};
use super::secret::Salt;
use super::target::Target;
use super::{State, Webhook, queue, store};
use crate::audit::{self, Event, Target as Audited};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::groups::{self, Group};

/// Changes name and URL. Owners only. What waits is sent to the new URL.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field, [`Error::NotFound`] when it is gone.
pub fn update(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    id: i64,
    form: &Form,
) -> Result<Webhook, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let webhook = store::find_of(conn, &group, id)?;
    let (name, target) = check(&ctx, form)?;
    if (name.as_str(), target.as_str()) == (&webhook.name, &webhook.url) {
        return Ok(webhook);
    }
    store::update(conn, id, &name, target.as_str(), ctx.now)?;
    let updated = store::find_of(conn, &group, id)?;
    let mut changed = json!({});
    if webhook.name != name {
        changed["name"] = json!([webhook.name, name]);
    }
    if webhook.url != target.as_str() {
        // The rest of a URL is often a secret.
        changed["origin"] = json!([origin(&webhook.url), target.origin()]);
    }
    note(conn, &ctx, &group, &updated, "webhook_updated", changed)?;
    Ok(updated)
}

/// Calls it again, from the next event on. Owners only.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::NotFound`] when it is gone.
pub fn enable(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    id: i64,
) -> Result<Webhook, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let webhook = store::find_of(conn, &group, id)?;
    if webhook.state == State::Enabled {
        return Ok(webhook);
    }
    store::set_state(conn, id, State::Enabled, None, ctx.now)?;
    let changed = json!({ "state": ["disabled", "enabled"] });
    note(conn, &ctx, &group, &webhook, "webhook_updated", changed)?;
    store::find_of(conn, &group, id)
}

/// Makes another signing key. From then on everything is signed with it, what waits included. Owners only.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::NotFound`] when it is gone.
pub fn reset_key(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    id: i64,
) -> Result<Keyed, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let webhook = store::find_of(conn, &group, id)?;
    let salt = Salt::random(&mut rand::rng());
    store::set_salt(conn, id, &salt, ctx.now)?;
    let changed = json!({ "signing_key_reset": true });
    note(conn, &ctx, &group, &webhook, "webhook_updated", changed)?;
    Ok(Keyed {
        key: ctx.instance.webhook_key.signing_key(&salt),
        webhook,
    })
}

/// Deletes it, with its log and what waits for it. Owners only.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::NotFound`] when it is gone.
pub fn delete(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    id: i64,
) -> Result<Webhook, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let webhook = store::find_of(conn, &group, id)?;
    store::delete(conn, id)?;
    let deleted = json!({ "origin": origin(&webhook.url) });
    note(conn, &ctx, &group, &webhook, "webhook_deleted", deleted)?;
    Ok(webhook)
}

/// Stops calling it, and gives up what waits for it; the server's own decision.
pub(super) fn disable(
    conn: &mut DbConnection,
    ctx: &Context,
    webhook: &Webhook,
    reason: &str,
) -> Result<(), Error> {
    let Some(group) = groups::store::find(conn, webhook.group_id)? else {
        return Ok(());
    };
    store::set_state(conn, webhook.id, State::Disabled, Some(reason), ctx.now)?;
    queue::give_up(conn, webhook.id, "The webhook was disabled", ctx.now)?;
    let why = json!({ "reason": reason });
    note(conn, ctx, &group, webhook, "webhook_disabled", why)
}

fn note(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    webhook: &Webhook,
    event: &'static str,
    details: serde_json::Value,
) -> Result<(), Error> {
    let target = Audited::Webhook(webhook.id, &webhook.name);
    let event = Event::new(event, target).in_group(group).with(details);
    audit::record(conn, ctx, event)
}

fn origin(url: &str) -> String {
    Target::parse(url, true).map_or_else(|_| String::new(), |target| target.origin())
}
