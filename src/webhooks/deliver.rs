//! Emptying the queue: what is due is taken, sent outside of any transaction, and noted.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reqwest::Client;
use tokio::task::JoinSet;

use super::call::{self, Answered, Call};
use super::network::Network;
use super::queue::{self, Outcome};
use super::{Delivery, DeliveryState, EventKind, State, Webhook, change, retry, store};
use crate::clock::Clock;
use crate::context::Context;
use crate::db::{Database, DbConnection};
use crate::error::Error;

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// Of these, to one webhook: a slow receiver does not keep the others waiting.
const AT_ONCE_EACH: usize = 4;

/// Calls in one run. Whoever empties the queue looks after other things, too.
const IN_A_RUN: usize = 200;

/// What a receiver that answers so wants: never to be called again.
const GONE: u16 = 410;

/// How many calls of a run came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The receiver has it.
    pub delivered: usize,
    /// To be tried again.
    pub retried: usize,
    /// Given up.
    pub failed: usize,
    /// Webhooks that are not called any more.
    pub disabled: usize,
    /// There may be more that is due.
    pub more: bool,
}

/// Sends what is due. Each transaction begins with `guard`, which fails when this node may not go on: then nothing is
/// noted any more, and whoever goes on sends again what was on its way, under the same ids. `context` tells who acts
/// and what the settings are, at the moment of each transaction.
///
/// # Errors
/// The guard's; when the database is away.
pub async fn deliver_due<C, G>(
    db: &Database,
    clock: &Clock,
    network: &Network,
    context: C,
    guard: G,
) -> Result<Delivered, Error>
where
    C: Fn(&mut DbConnection) -> Result<Context, Error> + Clone + Send + 'static,
    G: Fn(&mut DbConnection) -> Result<(), Error> + Clone + Send + 'static,
{
    let mut counts = Delivered::default();
    let mut calls: JoinSet<(Delivery, Answered)> = JoinSet::new();
    let mut under_way: HashMap<i64, usize> = HashMap::new();
    let mut clients = Clients::default();
    let (mut sent, mut exhausted) = (0, false);
    loop {
        let free = (AT_ONCE - calls.len()).min(IN_A_RUN - sent);
        if free > 0 && !exhausted {
            let (guard, context) = (guard.clone(), context.clone());
            let (busy, now) = (under_way.clone(), clock.now());
            let claimed = db
                .write(move |conn| {
                    guard(conn)?;
                    let ctx = context(conn)?;
                    claim(conn, &ctx, &busy, free, now)
                })
                .await?;
            // What may be taken later on, a webhook's next delivery, is seen when one of its calls has ended.
            exhausted = claimed.is_empty() && calls.is_empty();
            for (delivery, call, allow_local) in claimed {
                sent += 1;
                *under_way.entry(delivery.webhook_id).or_default() += 1;
                let client = clients.get(network, allow_local)?;
                calls.spawn(async move { (delivery, call.make(client).await) });
            }
        }
        let Some(done) = calls.join_next().await else {
            break;
        };
        let (delivery, answered) = done.map_err(|panic| Error::internal(panic.into()))?;
        if let Some(count) = under_way.get_mut(&delivery.webhook_id) {
            *count = count.saturating_sub(1);
        }
        let (guard, context, now) = (guard.clone(), context.clone(), clock.now());
        let settled = db
            .write(move |conn| {
                guard(conn)?;
                let ctx = context(conn)?;
                settle(conn, &ctx, &delivery, &answered, now)
            })
            .await?;
        match settled.state {
            Some(DeliveryState::Delivered) => counts.delivered += 1,
            Some(DeliveryState::Failed) => counts.failed += 1,
            Some(_) => counts.retried += 1,
            None => {}
        }
        counts.disabled += usize::from(settled.disabled);
    }
    counts.more = sent >= IN_A_RUN;
    Ok(counts)
}

/// What calls are made with, made when it is needed: it reads the certificates of this machine.
#[derive(Default)]
struct Clients {
    made: Option<(bool, Client)>,
}

impl Clients {
    fn get(&mut self, network: &Network, allow_local: bool) -> Result<Client, Error> {
        match &self.made {
            Some((allowed, client)) if *allowed == allow_local => Ok(client.clone()),
            _ => {
                let client = call::client(network, allow_local)?;
                self.made = Some((allow_local, client.clone()));
                Ok(client)
            }
        }
    }
}

/// Takes what is due, as much as there is room for.
fn claim(
    conn: &mut DbConnection,
    ctx: &Context,
    busy: &HashMap<i64, usize>,
    free: usize,
    now: DateTime<Utc>,
) -> Result<Vec<(Delivery, Call, bool)>, Error> {
    let mut busy = busy.clone();
    let mut chosen: Vec<i64> = Vec::new();
    loop {
        let full: Vec<i64> = busy
            .iter()
            .filter(|(_, calls)| **calls >= AT_ONCE_EACH)
            .map(|(id, _)| *id)
            .collect();
        let due = queue::due(conn, now, &full, free)?;
        let mut passed_over = false;
        for (id, webhook_id) in due {
            let calls = busy.entry(webhook_id).or_default();
            if chosen.len() == free || chosen.contains(&id) {
                continue;
            }
            if *calls >= AT_ONCE_EACH {
                passed_over = true;
                continue;
            }
            *calls += 1;
            chosen.push(id);
        }
        // Others may have stood behind those that were passed over.
        if chosen.len() == free || !passed_over {
            break;
        }
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let allow_local = ctx
        .policy
        .settings
        .allow_local_requests_from_web_hooks_and_services;
    let mut claimed = Vec::new();
    for delivery in queue::take(conn, &chosen, now)? {
        if let Some(webhook) = store::find(conn, delivery.webhook_id)? {
            let sent_at = now.timestamp();
            let call = Call::new(&ctx.instance, &webhook, &delivery, sent_at, allow_local);
            claimed.push((delivery, call, allow_local));
        }
    }
    Ok(claimed)
}

/// What became of a call: nothing, if it was somebody else's by then.
#[derive(Debug, Default)]
struct Settled {
    state: Option<DeliveryState>,
    disabled: bool,
}

fn settle(
    conn: &mut DbConnection,
    ctx: &Context,
    delivery: &Delivery,
    answered: &Answered,
    now: DateTime<Utc>,
) -> Result<Settled, Error> {
    let Some(webhook) = store::find(conn, delivery.webhook_id)? else {
        return Ok(Settled::default());
    };
    let next = next(&webhook, delivery, answered);
    let (state, due_at) = match next {
        Next::Done => (DeliveryState::Delivered, now),
        Next::Again(pause) => (DeliveryState::Waiting, now + pause),
        Next::GiveUp | Next::Gone => (DeliveryState::Failed, now),
    };
    let outcome = Outcome {
        state,
        due_at,
        status: answered.status,
        body: answered.body.clone(),
        duration_ms: answered.duration_ms,
        error: answered.error.clone(),
    };
    if !queue::note(conn, delivery, &outcome, now)? {
        return Ok(Settled::default());
    }
    let disabled = follow_up(conn, ctx, &webhook, delivery, next, now)?;
    Ok(Settled {
        state: Some(state),
        disabled,
    })
}

/// What is to be done next about a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Done,
    Again(chrono::TimeDelta),
    GiveUp,
    Gone,
}

fn next(webhook: &Webhook, delivery: &Delivery, answered: &Answered) -> Next {
    let again = match (delivery.event, webhook.state) {
        (EventKind::ExpiringAccessToken, State::Enabled) => retry::pause_after(delivery.attempts),
        // Whoever tests looks on; and what is disabled isn't called any more.
        _ => None,
    };
    match (&answered.error, again) {
        (None, _) => Next::Done,
        (Some(_), _) if answered.status == Some(GONE) => Next::Gone,
        (Some(_), Some(pause)) => Next::Again(pause),
        (Some(_), None) => Next::GiveUp,
    }
}

/// What an attempt means for the webhook. Returns whether that was its last one.
fn follow_up(
    conn: &mut DbConnection,
    ctx: &Context,
    webhook: &Webhook,
    delivery: &Delivery,
    next: Next,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    if webhook.state == State::Disabled {
        return Ok(false);
    }
    let reason = match next {
        Next::Done => {
            if webhook.failures > 0 {
                store::set_failures(conn, webhook.id, 0)?;
            }
            return Ok(false);
        }
        Next::Again(_) => {
            if let Some(pause) = retry::pause_after(1) {
                queue::hold(conn, webhook.id, now + pause)?;
            }
            return Ok(false);
        }
        Next::GiveUp if delivery.event == EventKind::Test => return Ok(false),
        Next::GiveUp => {
            let failures = webhook.failures + 1;
            if failures < retry::FAILURES {
                store::set_failures(conn, webhook.id, failures)?;
                return Ok(false);
            }
            format!("{failures} deliveries in a row failed")
        }
        Next::Gone => "The receiver answered 410 Gone".to_owned(),
    };
    change::disable(conn, ctx, webhook, &reason)?;
    Ok(true)
}
