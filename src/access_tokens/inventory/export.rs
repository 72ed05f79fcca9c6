//! The inventory for other programs: the same tokens as the page lists, all of them, as CSV. No value is among them.

use chrono::SecondsFormat;

use super::store::{Walk, walk};
use super::{Cursor, check};
use crate::access_tokens::ListedToken;
use crate::access_tokens::query::{Query, State};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::{self, Group};
use crate::spreadsheet;

/// Tokens that are read and handed on at a time.
pub(in crate::access_tokens) const AT_ONCE: i64 = 1_000;

/// The columns.
pub(in crate::access_tokens) const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "description",
    "kind",
    "resource",
    "role",
    "scopes",
    "bot_user_id",
    "bot_username",
    "created_at",
    "last_used_at",
    "expires_at",
    "state",
    "hint",
    "old_value_until",
];

/// An export on its way.
#[derive(Debug, Clone)]
pub struct Export {
    root: Group,
    query: Query,
    after: Option<Cursor>,
    is_new: bool,
    is_over: bool,
}

impl Export {
    /// Of the tokens that this query finds below a top-level group.
    pub fn of(root: Group, query: Query) -> Self {
        Export {
            root,
            query,
            after: None,
            is_new: true,
            is_over: false,
        }
    }

    /// The next piece; nothing at the end. Asks anew whether the caller may: an export may take a while.
    ///
    /// # Errors
    /// As [`find_root`](super::find_root).
    pub fn next(
        &mut self,
        conn: &mut DbConnection,
        ctx: &Context,
    ) -> Result<Option<Vec<u8>>, Error> {
        let ctx = ctx.refreshed(conn)?;
        let root = groups::store::find(conn, self.root.id)?.ok_or(Error::NotFound(What::Group))?;
        check(&ctx, &root)?;
        if self.is_over {
            return Ok(None);
        }
        let part = Walk {
            root_id: root.id,
            query: &self.query,
            now: ctx.now,
            from: self.after,
            backwards: false,
            counted: false,
        };
        let (tokens, _) = walk(conn, &part, AT_ONCE)?;
        let by_end = self.query.state == Some(State::Active);
        self.after = tokens
            .last()
            .filter(|_| i64::try_from(tokens.len()).is_ok_and(|found| found >= AT_ONCE))
            .map(|last| Cursor::of(last.listed.token.expires_at, last.listed.token.id, by_end));
        self.is_over = self.after.is_none();
        let head = std::mem::replace(&mut self.is_new, false);
        let rows = tokens
            .iter()
            .map(|found| cells(&found.listed, &found.full_path, &ctx));
        spreadsheet::csv(head.then_some(&COLUMNS), rows)
            .map(Some)
            .map_err(|error| Error::internal(error.into()))
    }
}

/// A line of the file.
pub(in crate::access_tokens) fn cells(
    listed: &ListedToken,
    full_path: &str,
    ctx: &Context,
) -> [String; 15] {
    let today = ctx.today();
    let token = &listed.token;
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let state = if token.is_revoked(ctx.now) {
        "revoked"
    } else if token.is_expired(today) {
        "expired"
    } else if !listed.user.is_active() {
        "blocked"
    } else if !listed.is_member(today) {
        "not a member"
    } else {
        "active"
    };
    [
        token.id.to_string(),
        token.name.clone(),
        token.description.clone().unwrap_or_default(),
        token.kind().to_owned(),
        full_path.to_owned(),
        listed
            .access_level
            .filter(|_| listed.is_member(today))
            .map(|level| level.name().to_owned())
            .unwrap_or_default(),
        token.scopes.names().join(" "),
        listed.user.id.to_string(),
        listed.user.username.clone(),
        time(token.created_at),
        listed.last_used_at.map(time).unwrap_or_default(),
        token
            .expires_at
            .map(|date| date.to_string())
            .unwrap_or_default(),
        state.to_owned(),
        token.hint.clone(),
        listed
            .old_value_until
            .filter(|until| *until > ctx.now)
            .map(time)
            .unwrap_or_default(),
    ]
}
