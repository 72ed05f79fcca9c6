//! Emptying the outbox: what is due is put into words, sent, and settled one by one.
//!
//! A mail is marked before it is sent and settled right after; between the server's yes and our commit lies the one
//! moment in which a process that dies leaves a mail that is sent again, with the same `Message-ID`; one on each line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::Connection;

use super::message::{Letter, Message};
use super::outbox::{self, Email, Outcome};
use super::reason::presentable;
use super::transport::{Failure, Mailer, Session};
use crate::clock::Clock;
use crate::db::violation::is_timeout;
use crate::db::{Database, DbConnection};
use crate::error::Error;

/// What the words of a mail turned out to be.
#[derive(Debug, Clone)]
pub enum Composed {
    /// These.
    Send(Message),
    /// There is nothing to say any more, and this is why.
    Drop(String),
}

/// Finds the words. It may look things up and change nothing.
pub type Compose = dyn Fn(&mut DbConnection, &Email) -> Result<Composed, Error> + Send + Sync;

/// Called first in every transaction: an error means that emptying the outbox is somebody else's now.
pub type Guard = dyn Fn(&mut DbConnection) -> Result<(), Error> + Send + Sync;

/// Told of each mail that is given up although somebody still needed it, and why, in the transaction that does so.
pub type Lost = dyn Fn(&mut DbConnection, &Email, &str) -> Result<(), Error> + Send + Sync;

/// All that it takes to empty the outbox.
#[derive(Clone)]
pub struct Delivery {
    /// Where the outbox is.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// The way out.
    pub mailer: Mailer,
    /// Finds the words.
    pub compose: Arc<Compose>,
    /// Hears of what never gets out.
    pub lost: Arc<Lost>,
    /// Is it still ours to do?
    pub guard: Arc<Guard>,
}

/// What became of the mails that were due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Taken by the server.
    pub sent: u64,
    /// Put off.
    pub retried: u64,
    /// Refused for good.
    pub refused: u64,
    /// Not needed any more, or given up.
    pub dropped: u64,
    /// Why no mail gets out at the moment, if so.
    pub stopped: Option<String>,
}

/// Mails that are put into words in one transaction.
const BATCH: i64 = 20;

/// No more of them once this much time went by: what has its words is not to wait for what is slow.
const COMPOSING: Duration = Duration::from_secs(5);

/// Connections to the server.
const LINES: usize = 4;

/// After so many mails in a row that break a new connection the round ends: it may be the server.
const STRIKES: u32 = 3;

/// Mails that one transaction puts off.
const PUT_OFF_AT_ONCE: i64 = 1_000;

/// Sends what is due. What becomes due meanwhile is left for the next round. `go_on` is asked before each mail; with
/// `false` the round ends early, and what it didn't come to is due as before.
///
/// # Errors
/// When the database is away, or the guard says so. What is on its way then is sent again, with the same id.
pub async fn deliver_due(
    delivery: &Delivery,
    go_on: impl Fn() -> bool + Sync,
) -> Result<Delivered, Error> {
    let mut round = Round {
        delivery,
        go_on: &go_on,
        began: delivery.clock.now(),
        queue: Mutex::default(),
        tally: Mutex::default(),
        strikes: Mutex::new(0),
    };
    let mut lines: Vec<Line> = (0..LINES).map(Line::new).collect();
    let outcome = round.run(&mut lines).await;
    for line in lines {
        if let Some(open) = line.open {
            open.session.close().await;
        }
    }
    outcome?;
    Ok(std::mem::take(
        round
            .tally
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner),
    ))
}

/// A mail that is ready to go.
struct Parcel {
    email: Email,
    letter: Letter,
}

/// A connection, or the place for one.
struct Line {
    number: usize,
    open: Option<Open>,
    /// The server doesn't want that many connections.
    closed: bool,
}

struct Open {
    session: Session,
    handled: u32,
}

impl Line {
    fn new(number: usize) -> Self {
        Line {
            number,
            open: None,
            closed: false,
        }
    }
}

struct Round<'a> {
    delivery: &'a Delivery,
    go_on: &'a (dyn Fn() -> bool + Sync),
    began: DateTime<Utc>,
    queue: Mutex<VecDeque<Parcel>>,
    tally: Mutex<Delivered>,
    strikes: Mutex<u32>,
}

impl Round<'_> {
    async fn run(&self, lines: &mut [Line]) -> Result<(), Error> {
        while (self.go_on)() {
            if !self.claim().await? {
                return Ok(());
            }
            self.send_all(lines).await?;
            if let Some(reason) = self.stopped() {
                tracing::warn!(reason, "Mail doesn't get out");
                if self.is_struck() {
                    // The others have failed at nothing, and go ahead of those that were put off.
                    return self.leave_the_rest().await;
                }
                return self.put_off_all(reason).await;
            }
            self.leave_the_rest().await?;
        }
        Ok(())
    }

    /// What was marked and not sent, because the round ends, is due as if it had never been touched.
    async fn leave_the_rest(&self) -> Result<(), Error> {
        let ids: Vec<i64> = self
            .queue()
            .drain(..)
            .map(|parcel| parcel.email.id)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let guard = Arc::clone(&self.delivery.guard);
        self.delivery
            .db
            .write(move |conn| {
                guard(conn)?;
                outbox::put_back(conn, &ids)
            })
            .await
    }

    /// Puts the next mails into words and marks them. `false` if none is due.
    async fn claim(&self) -> Result<bool, Error> {
        let (delivery, began) = (self.delivery.clone(), self.began);
        let claimed = self
            .delivery
            .db
            .write(move |conn| {
                (delivery.guard)(conn)?;
                let (started, now) = (Instant::now(), delivery.clock.now().max(began));
                let mut claimed = Claimed::default();
                for email in outbox::due(conn, began, BATCH)? {
                    claimed.any = true;
                    delivery.claim_one(conn, email, now, &mut claimed)?;
                    if started.elapsed() >= COMPOSING {
                        // So long a transaction has nearly outlived what the guard made sure of.
                        (delivery.guard)(conn)?;
                        break;
                    }
                }
                Ok(claimed)
            })
            .await?;
        let mut tally = self.tally();
        tally.retried += claimed.retried;
        tally.refused += claimed.refused;
        tally.dropped += claimed.dropped;
        self.queue().extend(claimed.parcels);
        Ok(claimed.any)
    }

    async fn send_all(&self, lines: &mut [Line]) -> Result<(), Error> {
        // The first line finds out whether there is a server at all; only then others are opened.
        if let Some(first) = lines.first_mut()
            && !self.queue().is_empty()
            && let Err(failure) = self.open(first).await
        {
            self.stop(failure.to_string());
            return Ok(());
        }
        let needed = self.queue().len().min(lines.len());
        let working = lines.iter_mut().take(needed).map(|line| self.work(line));
        let outcomes = futures_util::future::join_all(working).await;
        outcomes.into_iter().collect::<Result<Vec<()>, Error>>()?;
        // What a line that was turned away has put back.
        if let Some(first) = lines.first_mut()
            && self.stopped().is_none()
        {
            self.work(first).await?;
        }
        Ok(())
    }

    async fn open(&self, line: &mut Line) -> Result<(), Failure> {
        if line.open.is_none() {
            line.open = Some(Open {
                session: self.delivery.mailer.open().await?,
                handled: 0,
            });
        }
        Ok(())
    }

    /// Sends until nothing is left to send, or nothing can be sent.
    async fn work(&self, line: &mut Line) -> Result<(), Error> {
        while !line.closed && self.stopped().is_none() && (self.go_on)() {
            let Some(parcel) = self.queue().pop_front() else {
                break;
            };
            if let Err(failure) = self.open(line).await {
                self.queue().push_front(parcel);
                if line.number == 0 {
                    self.stop(failure.to_string());
                }
                line.closed = line.number != 0;
                break;
            }
            let Some(open) = &mut line.open else { break };
            let fresh = open.handled == 0;
            open.handled += 1;
            match open.session.send(&parcel.letter).await {
                Ok(()) => {
                    self.strike(false);
                    self.settle(parcel, Ok(())).await?;
                }
                Err(Failure::Down(reason)) => {
                    line.open = None;
                    self.queue().push_front(parcel);
                    self.stop(reason);
                }
                Err(Failure::Broken { again: true, .. }) if !fresh => {
                    // Servers end long conversations; the next one is short.
                    line.open = None;
                    self.queue().push_front(parcel);
                }
                Err(Failure::Broken { then, .. }) => {
                    line.open = None;
                    let reason = then.to_string();
                    self.settle(parcel, Err(*then)).await?;
                    if self.strike(true) {
                        self.stop(reason);
                    }
                }
                Err(failure) => {
                    self.strike(false);
                    self.settle(parcel, Err(failure)).await?;
                }
            }
        }
        Ok(())
    }

    /// Notes what became of a mail. What was sent is worth some patience: not noted, it would be sent again.
    async fn settle(&self, parcel: Parcel, outcome: Result<(), Failure>) -> Result<(), Error> {
        const PATIENCE: [u64; 3] = [1, 2, 4];
        let parcel = Arc::new((parcel.email, outcome));
        for pause in PATIENCE {
            match self.settle_once(&parcel).await {
                Err(Error::Unavailable(error)) => {
                    tracing::warn!(%error, "A mail can't be settled yet");
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
                outcome => return outcome,
            }
        }
        self.settle_once(&parcel).await
    }

    async fn settle_once(&self, parcel: &Arc<(Email, Result<(), Failure>)>) -> Result<(), Error> {
        let (guard, now) = (Arc::clone(&self.delivery.guard), self.now());
        let (settled, lost) = (Arc::clone(parcel), Arc::clone(&self.delivery.lost));
        self.delivery
            .db
            .write(move |conn| {
                guard(conn)?;
                let (email, outcome) = &*settled;
                match outcome {
                    Ok(()) => outbox::settle(conn, email.id, &Outcome::Sent, now),
                    Err(Failure::Refused(why)) => {
                        let why = presentable(why);
                        lost(conn, email, &why)?;
                        outbox::settle(conn, email.id, &Outcome::Refused(why), now)
                    }
                    Err(failure) => {
                        let why = presentable(&failure.to_string());
                        outbox::postpone(conn, email, email.attempts + 1, &why, now)
                    }
                }
            })
            .await?;
        let mut tally = self.tally();
        match &parcel.1 {
            Ok(()) => tally.sent += 1,
            Err(Failure::Refused(_)) => tally.refused += 1,
            Err(_) => tally.retried += 1,
        }
        Ok(())
    }

    /// Nothing gets out: whatever is due waits, and the server is left in peace.
    async fn put_off_all(&self, reason: String) -> Result<(), Error> {
        let reason = presentable(&reason);
        loop {
            let (guard, why) = (Arc::clone(&self.delivery.guard), reason.clone());
            let lost = Arc::clone(&self.delivery.lost);
            let (began, now) = (self.began, self.now());
            let (put_off, given_up) = self
                .delivery
                .db
                .write(move |conn| {
                    guard(conn)?;
                    let (put_off, given_up) =
                        outbox::postpone_due(conn, began, &why, now, PUT_OFF_AT_ONCE)?;
                    for email in &given_up {
                        lost(conn, email, &why)?;
                    }
                    Ok((put_off, u64::try_from(given_up.len()).unwrap_or(0)))
                })
                .await?;
            let mut tally = self.tally();
            tally.retried += put_off;
            tally.dropped += given_up;
            if put_off + given_up < PUT_OFF_AT_ONCE.unsigned_abs() {
                return Ok(());
            }
        }
    }

    /// Now. A clock that was set back must not make due again in this very round what was put off.
    fn now(&self) -> DateTime<Utc> {
        self.delivery.clock.now().max(self.began)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Parcel>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Delivered> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> Option<String> {
        self.tally().stopped.clone()
    }

    fn stop(&self, reason: String) {
        self.tally().stopped.get_or_insert(reason);
    }

    /// Counts mails in a row that broke a new connection; `true` when there were too many.
    fn strike(&self, broken: bool) -> bool {
        let mut strikes = self.strikes.lock().unwrap_or_else(PoisonError::into_inner);
        *strikes = if broken { *strikes + 1 } else { 0 };
        *strikes >= STRIKES
    }

    fn is_struck(&self) -> bool {
        *self.strikes.lock().unwrap_or_else(PoisonError::into_inner) >= STRIKES
    }
}

#[derive(Default)]
struct Claimed {
    any: bool,
    parcels: Vec<Parcel>,
    retried: u64,
    refused: u64,
    dropped: u64,
}

impl Delivery {
    fn claim_one(
        &self,
        conn: &mut DbConnection,
        email: Email,
        now: DateTime<Utc>,
        claimed: &mut Claimed,
    ) -> Result<(), Error> {
        if email.give_up_at.is_some_and(|end| end <= now) {
            let late = || "It came too late".into();
            let why = email.last_error.clone().unwrap_or_else(late);
            claimed.dropped += 1;
            (self.lost)(conn, &email, &why)?;
            return outbox::settle(conn, email.id, &Outcome::Dropped(why), now);
        }
        // In a savepoint: on PostgreSQL a failed query would take the whole batch along.
        let composed = conn.transaction(|conn| (self.compose)(conn, &email));
        let message = match composed {
            Ok(Composed::Send(message)) => message,
            Ok(Composed::Drop(why)) => {
                claimed.dropped += 1;
                return outbox::settle(conn, email.id, &Outcome::Dropped(why), now);
            }
            // If the database is away nothing gets out. If it only took too long over this mail, the others do.
            Err(Error::Unavailable(cause)) if !took_too_long(&cause) => {
                return Err(Error::Unavailable(cause));
            }
            Err(error) => {
                tracing::error!(
                    email = email.id,
                    kind = email.kind,
                    ?error,
                    "A mail has no words"
                );
                claimed.retried += 1;
                let why = "The mail could not be composed; the log says why";
                return outbox::postpone(conn, &email, email.attempts + 1, why, now);
            }
        };
        match self.mailer.write(&email.key, &message, now) {
            Ok(letter) => {
                if outbox::begin(conn, email.id)? {
                    claimed.parcels.push(Parcel { email, letter });
                }
                Ok(())
            }
            Err(problem) => {
                claimed.refused += 1;
                let why = problem.to_string();
                (self.lost)(conn, &email, &why)?;
                outbox::settle(conn, email.id, &Outcome::Refused(why), now)
            }
        }
    }
}

fn took_too_long(cause: &anyhow::Error) -> bool {
    cause
        .downcast_ref::<diesel::result::Error>()
        .is_some_and(is_timeout)
}
