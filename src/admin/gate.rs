//! Who gets in: administrators, and for everybody else there is no admin area.

use crate::context::Context;
use crate::error::{Error, What};
use crate::permissions::Right;

/// Lets administrators pass.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub(super) fn administers(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::NotFound(What::Thing))
    }
}
