//! Who reads a calendar: somebody signed in, or a program that has the address of one.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{FeedToken, claimed_by, store};
use crate::actor::{Actor, Credential};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::{AccessLevel, Membership, Memberships};
use crate::users::User;

/// Somebody who may read calendars.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The request, with the person as whoever asks.
    pub ctx: Context,
    /// The traversals of the groups that they own by a membership, if that is known already.
    owned: Option<Vec<String>>,
}

impl Reader {
    /// Somebody signed in; nobody else.
    pub fn signed_in(ctx: &Context) -> Option<Self> {
        let person = ctx.actor.user.as_ref().filter(|user| user.may_sign_in());
        person.map(|_| Reader {
            ctx: ctx.clone(),
            owned: None,
        })
    }

    /// Whose feed token this is, as long as they may sign in: the person as they are now, with the roles that they have
    /// now by their memberships, and no others. One query.
    ///
    /// # Errors
    /// When the database is away.
    pub fn by_feed_token(
        conn: &mut DbConnection,
        ctx: &Context,
        given: &str,
    ) -> Result<Option<Self>, Error> {
        let Some(id) = claimed_by(given) else {
            return Ok(None);
        };
        let Some(found) = store::with_salt(conn, id)? else {
            return Ok(None);
        };
        let (user, today) = (found.user, ctx.today());
        let key = &ctx.instance.lookup_key;
        let good = found
            .salt
            .is_some_and(|salt| FeedToken::of(key, id, &salt).is(given));
        if !good || !user.may_sign_in() {
            return Ok(None);
        }
        let owned = found
            .memberships
            .iter()
            .filter(|(membership, _)| owns(membership, today))
            .filter_map(|(_, traversal)| traversal.clone())
            .collect();
        let memberships = found
            .memberships
            .into_iter()
            .map(|(membership, _)| membership);
        let memberships = Memberships::living(memberships.collect(), today);
        let actor = Actor {
            user: Some(user),
            credential: Credential::Feed,
            memberships,
            origin: ctx.actor.origin.clone(),
            declared: ctx.actor.declared,
        };
        Ok(Some(Reader {
            ctx: Context {
                actor: Arc::new(actor),
                ..ctx.clone()
            },
            owned: Some(owned),
        }))
    }

    /// The person.
    pub fn user(&self) -> Option<&User> {
        self.ctx.actor.user.as_ref()
    }

    /// The traversals of the groups that they own by a membership. At most one query.
    ///
    /// # Errors
    /// When the database is away.
    pub fn owned(&self, conn: &mut DbConnection) -> Result<Vec<String>, Error> {
        match &self.owned {
            Some(owned) => Ok(owned.clone()),
            None => store::owned_by(
                conn,
                self.ctx.actor.user_id().unwrap_or_default(),
                self.ctx.today(),
            ),
        }
    }
}

/// Does this make its user an Owner on this day?
pub(super) fn owns(membership: &Membership, today: NaiveDate) -> bool {
    membership.access_level >= AccessLevel::Owner && membership.is_living(today)
}
