//! `latchkey token revoke`

use clap::Args;

use crate::access_tokens::ListedToken;
use crate::access_tokens::revoke::revoke_from_console;
use crate::access_tokens::store::{find, newest_of_user};
use crate::cli::acting::Acting;
use crate::cli::instance::Instance;
use crate::cli::output::Output;
use crate::cli::{Failure, json};
use crate::db::DbConnection;
use crate::error::Error;
use crate::users;

/// Revoke a token, for good, from the next request on
///
/// The token is marked as revoked and nothing else: its bot and the bot's membership stay.
#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// The token; latchkey token list shows ids
    #[arg(required_unless_present = "bot", conflicts_with = "bot")]
    id: Option<i64>,

    /// The newest token of this bot
    #[arg(long, value_name = "USERNAME")]
    bot: Option<String>,

    #[command(flatten)]
    acting: Acting,
}

impl Revoke {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let (listed, now, was_revoked) = instance.open(&self.acting)?.write(move |conn, ctx| {
            let listed = self.find(conn)?;
            revoke_from_console(conn, ctx, &listed)?;
            let was_revoked = listed.token.is_revoked(ctx.now);
            Ok((
                named(find(conn, listed.token.id)?, listed.token.id)?,
                ctx.now,
                was_revoked,
            ))
        })?;
        let token = &listed.token;
        let what = if was_revoked {
            "was revoked already"
        } else {
            "is revoked"
        };
        let sentence = format!(
            "Token {} ({}) of {} {what}",
            token.id, token.name, listed.user.username
        );
        out.result(&json::token(&listed, now), &sentence)
    }

    fn find(&self, conn: &mut DbConnection) -> Result<ListedToken, Error> {
        if let Some(id) = self.id {
            return named(find(conn, id)?, id);
        }
        let name = self.bot.as_deref().unwrap_or_default();
        let bot = users::store::find_by_username(conn, name)?
            .filter(users::User::is_bot)
            .ok_or_else(|| Error::refused(format!("there is no bot {name}")))?;
        newest_of_user(conn, bot.id)?
            .ok_or_else(|| Error::refused(format!("the bot {name} has no token")))
    }
}

/// The token, or a refusal that names its id.
pub(super) fn named(found: Option<ListedToken>, id: i64) -> Result<ListedToken, Error> {
    found.ok_or_else(|| Error::refused(format!("there is no token {id}")))
}
