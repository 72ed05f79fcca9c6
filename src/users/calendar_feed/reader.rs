//! Who reads a calendar: somebody signed in, or a program that has the address of one.

use std::sync::Arc;

use chrono::NaiveDate;

use super::store::{self, WithSalt};
use super::{FeedToken, claimed_by};
use crate::actor::{Actor, Credential};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::{AccessLevel, Memberships};
use crate::users::User;

/// Somebody who may read calendars.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The request, with the person as whoever asks.
    pub ctx: Context,
    /// Where they look after tokens, if that is known already.
    places: Option<Places>,
}

/// Where a person looks after tokens by memberships that count, or because it is their own namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The traversals of the groups that they own.
    pub owned: Vec<String>,
    /// The traversals of the groups whose projects they maintain, those that they own and their own namespace included.
    pub maintained: Vec<String>,
    /// The projects that they maintain by a membership of their own.
    pub projects: Vec<i64>,
}

impl Places {
    fn of(found: &WithSalt, today: NaiveDate) -> Self {
        let mut places = Places::default();
        places.maintained.extend(found.namespace.clone());
        let living = found
            .memberships
            .iter()
            .filter(|(membership, _)| membership.is_living(today));
        for (membership, traversal) in living {
            let level = membership.access_level;
            if level >= AccessLevel::Owner {
                places.owned.extend(traversal.clone());
            }
            if level >= AccessLevel::Maintainer {
                places.maintained.extend(traversal.clone());
                places.projects.extend(membership.project_id);
            }
        }
        places
    }
}

impl Reader {
    /// Somebody signed in; nobody else.
    pub fn signed_in(ctx: &Context) -> Option<Self> {
        let person = ctx.actor.user.as_ref().filter(|user| user.may_sign_in());
        person.map(|_| Reader {
            ctx: ctx.clone(),
            places: None,
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
        let today = ctx.today();
        let key = &ctx.instance.lookup_key;
        let good = found
            .salt
            .as_ref()
            .is_some_and(|salt| FeedToken::of(key, id, salt).is(given));
        if !good || !found.user.may_sign_in() {
            return Ok(None);
        }
        let places = Places::of(&found, today);
        let memberships = found
            .memberships
            .into_iter()
            .map(|(membership, _)| membership);
        let memberships = Memberships::living(memberships.collect(), today);
        let actor = Actor {
            user: Some(found.user),
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
            places: Some(places),
        }))
    }

    /// The person.
    pub fn user(&self) -> Option<&User> {
        self.ctx.actor.user.as_ref()
    }

    /// Where they look after tokens. At most one query.
    ///
    /// # Errors
    /// When the database is away.
    pub fn places(&self, conn: &mut DbConnection) -> Result<Places, Error> {
        if let Some(places) = &self.places {
            return Ok(places.clone());
        }
        let id = self.ctx.actor.user_id().unwrap_or_default();
        let found = store::with_salt(conn, id)?;
        Ok(found.map_or_else(Places::default, |found| {
            Places::of(&found, self.ctx.today())
        }))
    }
}
