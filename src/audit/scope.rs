//! Which part of the trail somebody looks at, and who may.

use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::store::{self, GroupRef};
use crate::groups::{self, Group};
use crate::permissions::Right;

/// A part of the trail that is looked at, filtered and exported by itself.
#[derive(Debug, Clone)]
pub enum Scope {
    /// All of it.
    Instance,
    /// What happened in a group and below it. What was moved elsewhere left its past behind: an event stays where it
    /// happened.
    Group(Box<Group>),
}

impl Scope {
    /// The part of the group with this full path.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody but its Owners, be it theirs or a group above, and administrators.
    pub fn of_group(conn: &mut DbConnection, ctx: &Context, path: &str) -> Result<Self, Error> {
        let name = GroupRef::Path(path.to_owned());
        let scope = Scope::Group(Box::new(store::find_visible(conn, ctx, &name)?));
        scope.check(ctx)?;
        Ok(scope)
    }

    /// The group, if it is one's part.
    pub fn group(&self) -> Option<&Group> {
        match self {
            Scope::Instance => None,
            Scope::Group(group) => Some(group),
        }
    }

    /// May the actor look at it?
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the right on the instance, [`Error::NotFound`] without that on the group.
    pub fn check(&self, ctx: &Context) -> Result<(), Error> {
        match self {
            Scope::Instance if ctx.actor.may_on_instance(Right::Administer) => Ok(()),
            Scope::Instance => Err(Error::forbidden()),
            Scope::Group(group)
                if ctx
                    .actor
                    .may(Right::SeeAuditEvents, &group.place(), &ctx.policy) =>
            {
                Ok(())
            }
            Scope::Group(_) => Err(Error::NotFound(What::Group)),
        }
    }

    /// As [`Scope::check`], by what the database says now. Returns the caller as they are now.
    ///
    /// # Errors
    /// As [`Scope::check`]; for a group that is gone, or that lies elsewhere now.
    pub fn check_anew(&self, conn: &mut DbConnection, ctx: &Context) -> Result<Context, Error> {
        let ctx = ctx.refreshed(conn)?;
        match self {
            Scope::Instance => self.check(&ctx)?,
            Scope::Group(group) => {
                let now = groups::store::find(conn, group.id)?
                    .filter(|now| now.traversal == group.traversal)
                    .ok_or(Error::NotFound(What::Group))?;
                Scope::Group(Box::new(now)).check(&ctx)?;
            }
        }
        Ok(ctx)
    }
}
