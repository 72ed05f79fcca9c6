//! Other addresses for what stays where it is.

use chrono::{DateTime, Utc};

use super::path::{PathSegment, Place as Segment};
use super::relocation::relocate;
use super::turn::reread;
use super::{Group, store};
use crate::db::{DbConnection, in_turn};
use crate::error::{Error, What};

/// Gives a group another last segment; the addresses of everything below follow. The caller has taken the
/// group's turn.
pub(super) fn rename(
    conn: &mut DbConnection,
    group: &Group,
    path: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let parent = match group.parent_id {
        Some(id) => Some(store::find(conn, id)?.ok_or(Error::NotFound(What::Group))?),
        None => None,
    };
    relocate(conn, group, parent.as_ref(), path, now)
}

/// A person's namespace as it is until the end of the transaction.
///
/// # Errors
/// [`Error::NotFound`] for who has no namespace.
pub fn lock_personal(conn: &mut DbConnection, owner_id: i64) -> Result<Group, Error> {
    let namespace =
        store::find_personal(conn, owner_id)?.ok_or(Error::NotFound(What::Namespace))?;
    in_turn(
        conn,
        &namespace,
        |namespace| vec![namespace.root_id],
        reread,
    )
}

/// Lets a person's namespace follow their user name and name, and the addresses of its projects with it.
/// Whether the person may be called so is decided by whoever renames them.
///
/// # Errors
/// [`Error::Invalid`] about the user name when it can't be an address or is taken, [`Error::NotFound`] for
/// who has no namespace.
pub fn rename_personal(
    conn: &mut DbConnection,
    owner_id: i64,
    new_username: &str,
    new_name: &str,
    now: DateTime<Utc>,
) -> Result<Group, Error> {
    let namespace = lock_personal(conn, owner_id)?;
    if new_username != namespace.path
        && let Err(problem) = PathSegment::parse(new_username, Segment::TopLevel)
    {
        return Err(Error::invalid("username", problem.to_string()));
    }
    store::update(
        conn,
        &namespace,
        new_name,
        &namespace.description,
        namespace.visibility,
        now,
    )?;
    let namespace = reread(conn, &namespace)?;
    relocate(conn, &namespace, None, new_username, now).map_err(|error| match error {
        // People know the address as a user name here.
        Error::Invalid(_) => Error::invalid("username", "has already been taken"),
        other => other,
    })?;
    reread(conn, &namespace)
}
