//! The instance as its administrators see it.

pub mod background_jobs;
pub mod overview;
pub mod settings;
mod store;

use crate::context::Context;
use crate::error::{Error, What};
use crate::permissions::Right;

/// Everybody but administrators finds nothing here.
pub(crate) fn administers(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::NotFound(What::Thing))
    }
}
