//! App: what a request can reach. Made once, shared by all workers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use tokio::sync::{Notify, Semaphore};

use crate::access_tokens::imported;
use crate::access_tokens::rotate::Rotations;
use crate::access_tokens::secret::derive_key;
use crate::access_tokens::uses::Uses;
use crate::actor::{Actor, address_prefix};
use crate::audit::system::Told;
use crate::clock::Clock;
use crate::config::ExternalUrl;
use crate::context::{Context, Instance};
use crate::db::{Database, DbConnection, ahead_of_server};
use crate::error::Error;
use crate::git::Repositories;
use crate::git::limits::{Times, Turns};
use crate::git::program::Git;
use crate::groups::plan::Offering;
use crate::mail::{Mailer, Post};
use crate::settings::{self, Policy};
use crate::users::hashing::Hashing;
use crate::web::api::quota::Quotas;

/// The application: cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// Clocks of nodes and database may be this far apart.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(5);

/// What an [`App`] is made of.
pub struct Inner {
    /// The database.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// Keys and addresses.
    pub instance: Arc<Instance>,
    /// Where people reach us.
    pub external_url: ExternalUrl,
    /// Whose word about the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Token uses to be written.
    pub uses: Uses,
    /// Wrong credentials by address.
    pub failures: Failures,
    /// Password hashing, beside everything else.
    pub hashing: Hashing,
    /// Calls of tokens, where they are limited.
    pub quotas: Quotas,
    /// Exports of people.
    pub exports: Quotas,
    /// Calendars that programs of people read.
    pub calendars: Quotas,
    /// When it was last told that clocks are apart.
    pub skew: Told,
    /// Rotations that were just answered.
    pub rotations: Arc<Rotations>,
    /// Rung when something was left for a job to do soon.
    pub jobs_waiting: Notify,
    /// Sends mails.
    pub mailer: Mailer,
    /// The code of projects.
    pub repositories: Repositories,
    /// Turns to run Git.
    pub git_turns: Turns,
    /// How long a run of Git may take.
    pub git_times: Times,
    /// One repository is packed anew at a time.
    pub git_upkeep: Semaphore,
    /// Rung when projects went, and their repositories are to go.
    pub projects_gone: Notify,
    /// This node was asked to stop: nobody should be sent here any more.
    pub stopping: AtomicBool,
    policy: RwLock<Arc<Policy>>,
    secret_fingerprint: String,
    offering: Offering,
}

/// What the configuration fixes for as long as the program runs.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// Where people reach us.
    pub external_url: ExternalUrl,
    /// Whose word about the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether plans matter.
    pub offering: Offering,
    /// Where the repositories of projects lie.
    pub repositories: PathBuf,
    /// How long a run of Git may take.
    pub git_times: Times,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// Puts an application together. Settings are read when they are first needed.
    ///
    /// # Errors
    /// When mail can't be set up as configured; a sentence.
    pub fn new(
        db: Database,
        clock: Clock,
        secret: &[u8],
        fixed: Fixed,
        secret_fingerprint: String,
        post: &Post,
    ) -> Result<Self, String> {
        let Fixed {
            external_url,
            trusted_proxies,
            offering,
            repositories,
            git_times,
        } = fixed;
        crate::tls::provide();
        let mailer = Mailer::new(
            post,
            &external_url.host(),
            derive_key(secret, "latchkey message id v1"),
        )?;
        let instance = Instance::new(secret, &external_url);
        Ok(App {
            inner: Arc::new(Inner {
                db,
                clock,
                instance: Arc::new(instance),
                external_url,
                trusted_proxies,
                uses: Uses::default(),
                failures: Failures::default(),
                hashing: Hashing::default(),
                quotas: Quotas::default(),
                exports: Quotas::default(),
                calendars: Quotas::default(),
                skew: Told::default(),
                rotations: Arc::default(),
                jobs_waiting: Notify::new(),
                mailer,
                repositories: Repositories::new(&repositories, Git::find()),
                git_turns: Turns::default(),
                git_times,
                git_upkeep: Semaphore::new(1),
                projects_gone: Notify::new(),
                stopping: AtomicBool::new(false),
                secret_fingerprint,
                offering,
                // No stored revision is negative: the first look finds it old.
                policy: RwLock::new(Arc::new(Policy {
                    revision: -1,
                    ..Policy::default()
                })),
            }),
        })
    }

    /// The settings at this revision: those we hold, or those that the database has if ours are old.
    ///
    /// # Errors
    /// When the database is away.
    pub fn policy_at(&self, conn: &mut DbConnection, revision: i64) -> Result<Arc<Policy>, Error> {
        let held = Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner));
        if held.revision == revision {
            return Ok(held);
        }
        let mut fresh = settings::store::load(conn)?;
        fresh.offering = self.offering;
        fresh.salts = imported::salts(conn, &self.instance.token_key)?;
        let fresh = Arc::new(fresh);
        let prefixes = imported::prefixes(conn)?;
        for prefix in std::iter::once(&fresh.settings.personal_access_token_prefix).chain(&prefixes)
        {
            crate::redaction::know_prefix(prefix);
        }
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }

    /// The settings as the database has them now: one query, more only after a change.
    ///
    /// # Errors
    /// When the database is away.
    pub fn policy_now(&self, conn: &mut DbConnection) -> Result<Arc<Policy>, Error> {
        let revision = settings::store::revision(conn)?;
        self.policy_at(conn, revision)
    }

    /// Tells instance secrets apart without telling them.
    pub fn secret_fingerprint(&self) -> &str {
        &self.inner.secret_fingerprint
    }

    /// The settings that this node last saw; good enough for limits of its own.
    pub fn policy_held(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Is this machine's clock so far from the database server's that leases and dates can't be relied on? Then nothing
    /// that goes by the clock may run here. A clock that a test has stopped is right by definition.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if so, or when the database is away.
    pub fn check_clock(&self, conn: &mut DbConnection) -> Result<(), Error> {
        if !matches!(self.clock, Clock::System) {
            return Ok(());
        }
        match ahead_of_server(conn, self.clock.now())? {
            Some(ahead) if ahead.abs() > CLOCKS_APART => Err(Error::unavailable(anyhow::anyhow!(
                "this machine's clock and the database server's are {} s apart",
                ahead.num_seconds().abs()
            ))),
            _ => Ok(()),
        }
    }

    /// What a verb needs, for this actor.
    pub fn context(&self, actor: Actor, policy: Arc<Policy>, now: DateTime<Utc>) -> Context {
        Context {
            now,
            actor: Arc::new(actor),
            policy,
            instance: Arc::clone(&self.instance),
            rotations: Arc::clone(&self.rotations),
        }
    }
}

/// Credentials that matched nothing, counted by address for a minute. Per node, in memory.
#[derive(Debug, Default)]
pub struct Failures {
    seen: Mutex<HashMap<String, (DateTime<Utc>, u32)>>,
}

/// Addresses remembered at the most; beyond that older minutes are forgotten, and then all.
const ADDRESSES: usize = 50_000;

impl Failures {
    /// Counts one, and tells whether the address is over its limit. 0 means no limit.
    pub fn count(&self, ip: Option<IpAddr>, limit: u32, now: DateTime<Utc>) -> bool {
        let (Some(ip), true) = (ip, limit > 0) else {
            return false;
        };
        let minute = TimeDelta::minutes(1);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ADDRESSES {
            seen.retain(|_, (since, _)| now - *since < minute);
            // Full of this minute's: forgetting them all is better than growing.
            if seen.len() >= ADDRESSES {
                seen.clear();
            }
        }
        let (since, count) = seen.entry(address_prefix(ip)).or_insert((now, 0));
        if now - *since >= minute {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_over_its_limit_for_a_minute_and_no_other_address_is() {
        let failures = Failures::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ip: IpAddr = "10.1.2.3".parse().unwrap();
        let neighbour: IpAddr = "10.1.2.250".parse().unwrap();
        for _ in 0..100 {
            assert!(!failures.count(Some(ip), 100, now));
        }
        assert!(
            failures.count(Some(neighbour), 100, now),
            "the same /24 shares the limit"
        );
        assert!(!failures.count("10.1.3.3".parse().ok(), 100, now));
        assert!(!failures.count(Some(ip), 100, now + TimeDelta::minutes(1)));
        assert!(!failures.count(Some(ip), 0, now), "0 switches it off");
    }
}
