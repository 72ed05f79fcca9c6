//! Emptying the queue: what is due is taken, sent outside of any transaction, and noted.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::Client;
use tokio::task::JoinSet;

use super::call::{self, Answered, Call};
use super::fairness::{AT_ONCE, Turns, Waiting};
use super::network::Network;
use super::queue::{self, Outcome};
use super::{Delivery, DeliveryState, EventKind, State, Webhook, change, retry, store};
use crate::clock::Clock;
use crate::context::Context;
use crate::db::{Database, DbConnection};
use crate::error::Error;

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
}

/// Tells who acts, and what the settings are, at the moment of a transaction.
pub type Acting = dyn Fn(&mut DbConnection) -> Result<Context, Error> + Send + Sync;

/// Called first in every transaction: an error means that emptying the queue is somebody else's now.
pub type Guard = dyn Fn(&mut DbConnection) -> Result<(), Error> + Send + Sync;

/// All that it takes to empty the queue.
#[derive(Clone)]
pub struct Sending {
    /// Where the queue is.
    pub db: Database,
    /// Says what is due, and when to try again.
    pub clock: Clock,
    /// The time that receivers are told, which is the real one whatever `clock` pretends.
    pub real_clock: Clock,
    /// The way out.
    pub network: Network,
    /// Who acts.
    pub acting: Arc<Acting>,
    /// Is it still ours to do?
    pub guard: Arc<Guard>,
}

impl Sending {
    /// A transaction, if it is still ours to do.
    async fn write<T: Send + 'static>(
        &self,
        mut change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (guard, acting) = (Arc::clone(&self.guard), Arc::clone(&self.acting));
        self.db
            .write(move |conn| {
                guard(conn)?;
                let ctx = acting(conn)?;
                change(conn, &ctx)
            })
            .await
    }

    /// Now. A clock that was set back must not make due again in this very round what was put off.
    fn moment(&self, began: DateTime<Utc>) -> Moment {
        Moment {
            now: self.clock.now().max(began),
            real: self.real_clock.now(),
        }
    }
}

/// Now, as the queue sees it, and as everybody else does.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: DateTime<Utc>,
    real: DateTime<Utc>,
}

/// Sends what is due. What becomes due meanwhile is left for the next time. `go_on` is asked before more is taken; with
/// `false` only what is on its way comes to its end.
///
/// # Errors
/// When the database is away, or the guard says so. What is on its way then is sent again, under the same ids.
pub async fn deliver_due(sending: &Sending, go_on: impl Fn() -> bool) -> Result<Delivered, Error> {
    let began = sending.clock.now();
    let mut counts = Delivered::default();
    let mut calls: JoinSet<(Claimed, Answered)> = JoinSet::new();
    let mut turns: Option<Turns> = None;
    let mut clients = Clients::default();
    loop {
        let free = AT_ONCE - calls.len();
        if go_on() {
            let (before, moment) = (turns.clone(), sending.moment(began));
            let (after, claimed) = sending
                .write(move |conn, ctx| {
                    let mut turns = match &before {
                        Some(turns) => turns.clone(),
                        None => Turns::of(queue::waiting_webhooks(conn, began)?),
                    };
                    let claimed = claim(conn, ctx, &mut turns, free, began, moment)?;
                    Ok((turns, claimed))
                })
                .await?;
            turns = Some(after);
            for (claimed, call, allow_local) in claimed {
                match clients.get(&sending.network, allow_local) {
                    Ok(client) => {
                        calls.spawn(async move { (claimed, call.make(client).await) });
                    }
                    // Nobody can be called from here: each delivery says so, and is tried again.
                    Err(error) => {
                        tracing::error!(%error, "Webhooks can't be called");
                        calls.spawn(async move { (claimed, Answered::none(error)) });
                    }
                }
            }
        }
        let Some(done) = calls.join_next().await else {
            return Ok(counts);
        };
        let (claimed, answered) = done.map_err(|panic| Error::internal(panic.into()))?;
        if let Some(turns) = &mut turns {
            turns.done(claimed.hook);
        }
        let moment = sending.moment(began);
        let delivery = claimed.delivery;
        let settled = sending
            .write(move |conn, ctx| settle(conn, ctx, &delivery, &answered, moment))
            .await?;
        match settled.state {
            Some(DeliveryState::Delivered) => counts.delivered += 1,
            Some(DeliveryState::Failed) => counts.failed += 1,
            Some(_) => counts.retried += 1,
            None => {}
        }
        counts.disabled += usize::from(settled.disabled);
    }
}

/// What calls are made with, made when it is needed: it reads the certificates of this machine.
#[derive(Default)]
struct Clients {
    made: Option<(bool, Client)>,
}

impl Clients {
    fn get(&mut self, network: &Network, allow_local: bool) -> Result<Client, String> {
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

/// A delivery that was taken, and the turn that it took.
#[derive(Debug)]
struct Claimed {
    delivery: Delivery,
    hook: Waiting,
}

/// Takes what is due, as much as there is room for, each webhook in its turn.
fn claim(
    conn: &mut DbConnection,
    ctx: &Context,
    turns: &mut Turns,
    free: usize,
    due_by: DateTime<Utc>,
    moment: Moment,
) -> Result<Vec<(Claimed, Call, bool)>, Error> {
    let (mut chosen, mut hooks): (Vec<i64>, Vec<Waiting>) = Default::default();
    while chosen.len() < free
        && let Some(hook) = turns.next()
    {
        match queue::oldest_due(conn, hook.id, due_by, &chosen)? {
            Some(id) => {
                chosen.push(id);
                hooks.push(hook);
            }
            None => turns.leave(hook),
        }
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let allow_local = ctx
        .policy
        .settings
        .allow_local_requests_from_web_hooks_and_services;
    let mut taken = queue::take(conn, &chosen, due_by, moment.now, moment.real)?;
    let mut claimed = Vec::new();
    for (id, hook) in chosen.into_iter().zip(hooks) {
        let place = taken.iter().position(|delivery| delivery.id == id);
        let delivery = place.map(|place| taken.swap_remove(place));
        let (Some(delivery), Some(webhook)) = (delivery, store::find(conn, hook.id)?) else {
            // Another node was quicker.
            turns.done(hook);
            continue;
        };
        let sent_at = moment.real.timestamp();
        let call = Call::new(&ctx.instance, &webhook, &delivery, sent_at, allow_local);
        claimed.push((Claimed { delivery, hook }, call, allow_local));
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
    Moment { now, real }: Moment,
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
    if !queue::note(conn, delivery, &outcome, real)? {
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
