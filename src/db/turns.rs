//! Taking turns below top-level groups, of which a group or project can be moved from one to another.

use diesel::Connection;

use super::{DbConnection, lock_root};
use crate::error::Error;

/// How often a thing is followed to the top-level group that it was moved to meanwhile.
const ATTEMPTS: usize = 5;

/// Takes the lock of every root of `given`, lowest first, and reads it anew behind them: from here to the
/// end of the transaction nobody changes who may do what below these roots.
///
/// What was moved while we waited lies below another root: then all locks are given back before the right
/// ones are taken, so that nobody who waits holds what another one waits for.
///
/// # Errors
/// What `read` says, [`Error::Conflict`] when it is moved again and again, and as [`lock_root`].
pub fn in_turn<T>(
    conn: &mut DbConnection,
    given: &T,
    roots: impl Fn(&T) -> Vec<i64>,
    read: impl Fn(&mut DbConnection, &T) -> Result<T, Error>,
) -> Result<T, Error> {
    // SQLite has one writer: whoever changes something has the turn.
    if let DbConnection::Sqlite(_) = conn {
        return read(conn, given);
    }
    let mut wanted = in_order(roots(given));
    for _ in 0..ATTEMPTS {
        // Rolling back to a savepoint gives back the locks that were taken after it.
        let outcome = conn.transaction(|conn| {
            for root in &wanted {
                lock_root(conn, *root)?;
            }
            let found = read(conn, given)?;
            let found_below = in_order(roots(&found));
            if found_below.iter().all(|root| wanted.contains(root)) {
                Ok(found)
            } else {
                Err(Missed::Moved(found_below))
            }
        });
        match outcome {
            Ok(found) => return Ok(found),
            Err(Missed::Moved(roots)) => wanted = roots,
            Err(Missed::Failed(error)) => return Err(error),
        }
    }
    Err(Error::Conflict(
        "It was moved at the same moment; try again".into(),
    ))
}

fn in_order(mut roots: Vec<i64>) -> Vec<i64> {
    roots.sort_unstable();
    roots.dedup();
    roots
}

/// Why an attempt is rolled back.
enum Missed {
    /// It lies below these roots now.
    Moved(Vec<i64>),
    Failed(Error),
}

impl From<Error> for Missed {
    fn from(error: Error) -> Self {
        Missed::Failed(error)
    }
}

impl From<diesel::result::Error> for Missed {
    fn from(error: diesel::result::Error) -> Self {
        Missed::Failed(error.into())
    }
}
