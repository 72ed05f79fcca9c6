//! Asking for a run.

use serde_json::json;

use super::{Job, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;

/// Asks for a run as soon as some node is free. Administrators only.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn request(conn: &mut DbConnection, ctx: &Context, job: Job) -> Result<(), Error> {
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    store::introduce(conn, ctx.now)?;
    store::set_requested(conn, job)?;
    audit::record(
        conn,
        &ctx,
        Event::new("job_requested", Target::Instance).with(json!({ "job": job.name() })),
    )
}
