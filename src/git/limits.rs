//! How much Git may do at once, and for how long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Programs that run at the same moment on one node.
const PROGRAMS: usize = 64;

/// Of those, for one token or person, and for all from one address who are nobody.
const PROGRAMS_OF_ONE: usize = 24;
const PROGRAMS_OF_NOBODY: usize = 8;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long what may last.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Nothing comes and nothing goes; and how far a client may fall behind [`Times::slowest`].
    pub silence: Duration,
    /// What comes from a client on the average while it is waited for, in bytes a second.
    pub slowest: u32,
    /// A request as a whole.
    pub whole: Duration,
    /// Between two looks whether the caller still may.
    pub watch: Duration,
    /// Looking through a push for tokens.
    pub search: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Times {
            silence: Duration::from_secs(120),
            slowest: 256,
            whole: Duration::from_secs(60 * 60),
            watch: Duration::from_secs(2),
            search: Duration::from_secs(10 * 60),
        }
    }
}

/// Who takes part in the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A token, by its id.
    Token(i64),
    /// Somebody at a browser, by their id.
    Person(i64),
    /// Whoever at this address sent no credential.
    Nobody(Option<IpAddr>),
}

/// Turns to run a program.
#[derive(Debug)]
pub struct Turns {
    patience: Duration,
    all: Arc<Semaphore>,
    each: Mutex<HashMap<Caller, Arc<Semaphore>>>,
}

/// A turn; given back when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Turns {
            patience: PATIENCE,
            all: Arc::new(Semaphore::new(PROGRAMS)),
            each: Mutex::default(),
        }
    }
}

impl Turns {
    /// Waits for a turn: first among one's own, so that nobody who has many takes the turns of all.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none came in ten seconds.
    pub async fn take(&self, caller: Caller) -> Result<Turn, Error> {
        let own = self.of(caller);
        let taken = tokio::time::timeout(self.patience, async {
            let own = own.acquire_owned().await?;
            let of_all = Arc::clone(&self.all).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>(Turn {
                _own: own,
                _of_all: of_all,
            })
        })
        .await;
        match taken {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Error::unavailable(anyhow::anyhow!(
                "too many programs of Git are running"
            ))),
        }
    }

    /// How many run now.
    pub fn running(&self) -> usize {
        PROGRAMS - self.all.available_permits()
    }

    fn of(&self, caller: Caller) -> Arc<Semaphore> {
        let share = match caller {
            Caller::Token(_) | Caller::Person(_) => PROGRAMS_OF_ONE,
            Caller::Nobody(_) => PROGRAMS_OF_NOBODY,
        };
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has nothing running needs no row.
        each.retain(|_, own| Arc::strong_count(own) > 1);
        Arc::clone(
            each.entry(caller)
                .or_insert_with(|| Arc::new(Semaphore::new(share))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impatient() -> Turns {
        Turns {
            patience: Duration::from_millis(20),
            ..Turns::default()
        }
    }

    #[tokio::test]
    async fn nobody_takes_the_turns_of_all() {
        let turns = impatient();
        let one = Caller::Token(1);
        let mut held = Vec::new();
        for _ in 0..PROGRAMS_OF_ONE {
            held.push(turns.take(one).await.unwrap());
        }
        assert!(matches!(turns.take(one).await, Err(Error::Unavailable(_))));
        assert_eq!(turns.running(), PROGRAMS_OF_ONE);
        let other = turns.take(Caller::Token(2)).await.unwrap();
        drop(held.pop());
        turns.take(one).await.unwrap();
        drop((held, other));
        assert_eq!(turns.running(), 0);
    }

    #[tokio::test]
    async fn who_sends_no_credential_shares_with_their_address() {
        let turns = impatient();
        let here = Caller::Nobody(Some([192, 0, 2, 1].into()));
        let mut held = Vec::new();
        for _ in 0..PROGRAMS_OF_NOBODY {
            held.push(turns.take(here).await.unwrap());
        }
        assert!(turns.take(here).await.is_err());
        let elsewhere = Caller::Nobody(Some([192, 0, 2, 2].into()));
        turns.take(elsewhere).await.unwrap();
        turns.take(Caller::Token(1)).await.unwrap();
        assert_eq!((PROGRAMS_OF_ONE, PROGRAMS_OF_NOBODY), (24, 8));
    }

    #[tokio::test]
    async fn who_comes_when_all_run_waits_for_a_turn() {
        let turns = Arc::new(Turns::default());
        let mut held = Vec::new();
        for id in 0..PROGRAMS {
            held.push(turns.take(Caller::Token(id as i64)).await.unwrap());
        }
        assert!(turns.all.try_acquire().is_err());
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take(Caller::Nobody(None)).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        held.pop();
        waiting.await.unwrap().unwrap();
    }
}
