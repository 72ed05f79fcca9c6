//! Making a webhook.

use serde_json::json;

use super::secret::{Salt, SigningKey};
use super::target::Target;
use super::{Webhook, store};
use crate::audit::{self, Event, Target as Audited};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors};
use crate::groups::Group;
use crate::groups::create::checked_name;
use crate::groups::turn::locked;
use crate::permissions::Right;

/// Webhooks that one group may have.
pub const PER_GROUP: i64 = 100;

/// What somebody typed.
#[derive(Debug, Clone)]
pub struct Form {
    /// What it is to be called.
    pub name: String,
    /// What it is to call.
    pub url: String,
}

/// A webhook and, this once, its signing key.
#[derive(Debug)]
pub struct Keyed {
    /// The webhook.
    pub webhook: Webhook,
    /// The key; it is never shown again.
    pub key: SigningKey,
}

/// Makes a webhook of a group. Owners only, and people only.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field, [`Error::Refused`] beyond the limit.
pub fn create(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    form: &Form,
) -> Result<Keyed, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let (name, target) = check(&ctx, form)?;
    if store::count(conn, &group)? >= PER_GROUP {
        return Err(Error::refused(format!(
            "A group can have {PER_GROUP} webhooks at the most"
        )));
    }
    let salt = Salt::random(&mut rand::rng());
    let webhook = store::insert(conn, &ctx, &group, &name, target.as_str(), &salt)?;
    audit::record(
        conn,
        &ctx,
        Event::new(
            "webhook_created",
            Audited::Webhook(webhook.id, &webhook.name),
        )
        .in_group(&group)
        .with(json!({ "origin": target.origin() })),
    )?;
    let key = ctx.instance.webhook_key.signing_key(&salt);
    Ok(Keyed { webhook, key })
}

/// The group and the actor as they are now, if the actor may look after its webhooks.
pub(super) fn allowed(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
) -> Result<(Group, Context), Error> {
    let (group, ctx) = locked(conn, ctx, group)?;
    if ctx
        .actor
        .may(Right::ManageWebhooks, &group.place(), &ctx.policy)
    {
        Ok((group, ctx))
    } else {
        Err(Error::forbidden())
    }
}

/// Name and URL, or what is wrong with them.
pub(super) fn check(ctx: &Context, form: &Form) -> Result<(String, Target), Error> {
    let mut errors = FieldErrors::default();
    let name = checked_name(&form.name, &mut errors);
    let allow_local = ctx
        .policy
        .settings
        .allow_local_requests_from_web_hooks_and_services;
    match Target::parse(&form.url, allow_local) {
        Ok(target) => {
            errors.check()?;
            Ok((name, target))
        }
        Err(problem) => {
            errors.add("url", problem.to_string());
            Err(Error::Invalid(errors))
        }
    }
}
