//! Making a bot.

use chrono::NaiveDate;
use rand::RngExt as _;
use serde_json::json;

use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::{AccessLevel, Role, store as memberships};
use crate::users::store::{NewUser, insert};
use crate::users::{User, UserKind};

/// Makes the bot of a token: active, confirmed, without a password, a direct member of exactly this
/// group or project. It is as external as whoever made it. Returns the role that its membership gives, too.
///
/// # Errors
/// When the database can't take it.
pub fn create(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    name: &str,
    access_level: AccessLevel,
    token_expires_at: Option<NaiveDate>,
) -> Result<(User, Role), Error> {
    let random: [u8; 16] = rand::rng().random();
    let username = format!(
        "{}_{}_bot_{}",
        resource.noun(),
        resource.id(),
        hex::encode(random)
    );
    let email = format!("{username}@noreply.{}", ctx.instance.host);
    let (bot_group_id, bot_project_id) = match resource {
        Resource::Group(group) => (Some(group.id), None),
        Resource::Project(project) => (None, Some(project.id)),
    };
    let bot = insert(
        conn,
        &NewUser {
            username: &username,
            name,
            email: &email,
            kind: UserKind::ProjectBot,
            admin: false,
            external: ctx
                .actor
                .user
                .as_ref()
                .is_some_and(|creator| creator.external),
            password_hash: None,
            bot_group_id,
            bot_project_id,
            created_by_id: ctx.actor.user_id(),
            now: ctx.now,
        },
    )?;
    let keeps = ctx.policy.retains_bots(resource.group().retain_bots);
    let membership = memberships::insert(
        conn,
        &memberships::NewMembership {
            user_id: bot.id,
            group_id: bot_group_id,
            project_id: bot_project_id,
            access_level,
            // Without the retain flag the bot's stay ends with its token.
            expires_at: token_expires_at.filter(|_| !keeps),
            bot: true,
            created_by_id: ctx.actor.user_id(),
            now: ctx.now,
        },
    )?;
    audit::record(
        conn,
        ctx,
        Event::new("bot_created", Target::User(&bot))
            .in_group(resource.group())
            .with(json!({
                "name": bot.name,
                "external": bot.external,
                "source": resource.full_path(),
            })),
    )?;
    Ok((bot, Role::from(&membership)))
}

/// Gives a rotated token's bot its new end.
///
/// # Errors
/// When the database is away.
pub fn extend_membership(
    conn: &mut DbConnection,
    bot_id: i64,
    expires_at: Option<NaiveDate>,
) -> Result<(), Error> {
    memberships::set_bot_expiry(conn, bot_id, expires_at)
}
