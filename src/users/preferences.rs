//! How a person wants the pages to look.

use super::oneself::oneself;
use super::store;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Chooses whether moments are printed as they are, and not as `3 days ago`. People only, and for themselves.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn choose_exact_times(
    conn: &mut DbConnection,
    ctx: &Context,
    exact: bool,
) -> Result<(), Error> {
    let (_, user) = oneself(conn, ctx)?;
    store::set_exact_times(conn, user.id, exact)
}
