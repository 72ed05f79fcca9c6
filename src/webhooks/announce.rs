//! Telling webhooks that tokens end in seven days.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::queue::{self, NewDelivery};
use super::{EventKind, Webhook, payload, store};
use crate::access_tokens::{AccessToken, Resource};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::ids_of;

/// Groups that are asked for at once; databases have a limit on values.
const GROUPS_AT_ONCE: usize = 1_000;

/// Tells the webhooks of each token's group, and of every group above it, that the token ends soon. Called in the
/// transaction that notes that it was told. A webhook is told once of a token and its date, however often this is
/// called. `real_now` is the moment by the clock, whatever day a job pretends it is. Returns how many deliveries are
/// new.
///
/// # Errors
/// When the database is away.
pub fn announce_expiring(
    conn: &mut DbConnection,
    ctx: &Context,
    tokens: &[(AccessToken, Resource)],
    real_now: DateTime<Utc>,
) -> Result<usize, Error> {
    let hooks = hooks_above(conn, tokens)?;
    if hooks.is_empty() {
        return Ok(0);
    }
    let events: Vec<Event> = tokens
        .iter()
        .filter(|(_, resource)| groups_above(resource).any(|id| hooks.contains_key(&id)))
        .map(|(token, resource)| Event::new(ctx, token, resource))
        .collect();
    let new: Vec<NewDelivery<'_>> = events
        .iter()
        .flat_map(|event| {
            groups_above(event.resource)
                .filter_map(|id| hooks.get(&id))
                .flatten()
                .map(|hook| event.to(ctx, hook))
        })
        .collect();
    queue::enqueue(conn, &new, real_now)
}

/// A token that ends soon.
struct Event<'a> {
    resource: &'a Resource,
    key: String,
    uuid: String,
    body: String,
}

impl<'a> Event<'a> {
    fn new(ctx: &Context, token: &AccessToken, resource: &'a Resource) -> Self {
        let ends = token
            .expires_at
            .map_or_else(|| "never".to_owned(), |date| date.to_string());
        let key = format!("expiring_access_token/{}/{ends}", token.id);
        Event {
            resource,
            uuid: ctx.instance.webhook_key.uuid(&key),
            body: payload::expiring(&ctx.instance, token, resource),
            key,
        }
    }

    fn to(&self, ctx: &Context, hook: &Webhook) -> NewDelivery<'_> {
        let told = format!("{}/{}", self.key, hook.id);
        NewDelivery {
            webhook_id: hook.id,
            key: Some(&self.key),
            event: EventKind::ExpiringAccessToken,
            event_uuid: &self.uuid,
            message_id: ctx.instance.webhook_key.uuid(&told),
            body: &self.body,
            redelivery_of: None,
        }
    }
}

/// The webhooks of all groups in question, by group.
fn hooks_above(
    conn: &mut DbConnection,
    tokens: &[(AccessToken, Resource)],
) -> Result<HashMap<i64, Vec<Webhook>>, Error> {
    let ids: BTreeSet<i64> = tokens
        .iter()
        .flat_map(|(_, resource)| groups_above(resource))
        .collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut hooks: HashMap<i64, Vec<Webhook>> = HashMap::new();
    for some in ids.chunks(GROUPS_AT_ONCE) {
        for hook in store::enabled_of(conn, some)? {
            hooks.entry(hook.group_id).or_default().push(hook);
        }
    }
    Ok(hooks)
}

/// The group that it is or lies in, and all above it. A person's own namespace has no webhooks.
fn groups_above(resource: &Resource) -> impl Iterator<Item = i64> {
    let group = resource.group();
    let traversal = if group.is_personal() {
        ""
    } else {
        &group.traversal
    };
    ids_of(traversal)
}
