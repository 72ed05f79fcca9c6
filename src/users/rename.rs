//! A person's own name, changed by themselves.

use super::administer::reread;
use super::edit::record;
use super::oneself::oneself;
use super::{User, store};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::{Error, FieldErrors};
use crate::groups::create::checked_name;
use crate::groups::rename::{lock_personal, rename_personal};

/// Changes the name that others read; the personal namespace is called the same. User name and address are for
/// administrators to change. People only, and for themselves.
///
/// # Errors
/// [`Error::Invalid`] about the name, [`Error::Forbidden`] for everybody else.
pub fn rename_oneself(conn: &mut DbConnection, ctx: &Context, name: &str) -> Result<User, Error> {
    lock_instance(conn)?;
    let (ctx, was) = oneself(conn, ctx)?;
    let mut errors = FieldErrors::default();
    let name = checked_name(name, &mut errors);
    errors.check()?;
    if name == was.name {
        return Ok(was);
    }
    let becomes = User {
        name,
        ..was.clone()
    };
    // Before the person's row, as everybody does who points at them from below it.
    lock_personal(conn, was.id)?;
    store::update(conn, &becomes, ctx.now)?;
    rename_personal(conn, was.id, &becomes.username, &becomes.name, ctx.now)?;
    record(conn, &ctx, &was, &becomes)?;
    reread(conn, was.id)
}
