//! `latchkey token rotate`

use chrono::NaiveDate;
use clap::Args;

use super::revoke::named;
use super::{hand_over, must_be_enabled};
use crate::access_tokens::grace::Grace;
use crate::access_tokens::revoke::resource_of;
use crate::access_tokens::rotate::{NewExpiry, Rotation, rotate, rotate_personal};
use crate::access_tokens::{ListedToken, Resource, store};
use crate::cli::acting::Acting;
use crate::cli::instance::Instance;
use crate::cli::output::Output;
use crate::cli::{Failure, arguments};
use crate::context::Context;
use crate::error::Error;
use crate::permissions::Right;

/// Rotate a token: its value stops working, and a new one is printed, once
///
/// Bot, role, scopes and name stay. Standard output carries the value and nothing else.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    /// The token; latchkey token list shows ids
    id: i64,

    /// The day at whose beginning, in UTC, the new value stops working [default: as long as the old one lived]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = arguments::date)]
    expires_at: Option<NaiveDate>,

    /// How long the old value goes on working, in seconds, up to a week (604800)
    #[arg(long, value_name = "SECONDS", value_parser = arguments::grace, default_value = "0")]
    grace_period: Grace,

    #[command(flatten)]
    acting: Acting,
}

impl Rotate {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let (id, date, grace) = (self.id, self.expires_at, self.grace_period);
        let (created, whose, now) = instance.open(&self.acting)?.write(move |conn, ctx| {
            let old = named(store::find(conn, id)?, id)?;
            let resource = resource_of(conn, &old)?;
            may_rotate(ctx, &old, resource.as_ref())?;
            let rotation = Rotation {
                expiry: date.map_or_else(|| same_again(ctx, &old), NewExpiry::On),
                grace,
            };
            let created = match &resource {
                Some(resource) => rotate(conn, ctx, resource, id, rotation)?,
                None => rotate_personal(conn, ctx, id, rotation)?,
            };
            let whose = resource.map_or(old.user.username, |resource| resource.full_path());
            Ok((created, whose, ctx.now))
        })?;
        hand_over(out, &created, &whose, now)
    }
}

/// The same lifetime once more.
fn same_again(ctx: &Context, old: &ListedToken) -> NewExpiry {
    let made = old.token.created_at.date_naive();
    let limits = ctx.policy.limits();
    NewExpiry::AsGiven(limits.page_rotation(ctx.today(), made, old.token.expires_at))
}

/// The verb refuses these too, in words for callers who must not learn what is there. The operator may.
fn may_rotate(ctx: &Context, old: &ListedToken, resource: Option<&Resource>) -> Result<(), Error> {
    must_be_enabled(ctx)?;
    let id = old.token.id;
    match resource {
        Some(resource)
            if !ctx
                .actor
                .could(Right::RotateToken, &resource.place(), &ctx.policy) =>
        {
            Err(Error::refused(format!(
                "the creation of tokens is turned off for {}, and rotating with it; revoke token {id} and make a new one with latchkey token create",
                resource.full_path()
            )))
        }
        None if ctx.actor.user_id() != Some(old.user.id) => Err(Error::refused(format!(
            "token {id} is {}'s own, and only they can rotate it; revoke it and make a new one instead",
            old.user.username
        ))),
        _ => Ok(()),
    }
}
