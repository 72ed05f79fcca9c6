//! Looking for work, outside of any transaction that changes something.

use super::run::{Run, context};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Reads for a job, as of the moment that its run takes for the present. What was found may have changed when a
/// [batch](Run::batch) gets to it, and is looked at again there.
///
/// # Errors
/// The query's own.
pub(super) async fn look<T: Send + 'static>(
    run: &Run,
    mut query: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (app, as_of) = (run.app().clone(), run.as_of());
    let read = move |conn: &mut DbConnection| {
        let ctx = context(conn, &app, as_of)?;
        query(conn, &ctx)
    };
    run.app().db.read(read).await
}
