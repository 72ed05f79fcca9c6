//! The users of the instance, people and bots.

use diesel::prelude::*;

use super::store::key;
use super::{User, UserKind, UserState};
use crate::context::Context;
use crate::db::schema::users;
use crate::db::{Backend, COUNTED_AT_MOST, DbConnection, Limits as _, Page, PageRequest, lower};
use crate::error::Error;
use crate::groups::store::like_pattern;

/// What narrows a list of users.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The user name is this, whatever the case.
    pub username: Option<String>,
    /// Name or user name contains this, whatever the case. To administrators the address, too; only all
    /// of it: nobody gropes for addresses letter by letter.
    pub search: Option<String>,
    /// Active ones only.
    pub active: bool,
    /// Blocked ones only.
    pub blocked: bool,
    /// People only.
    pub humans: bool,
    /// Without the bots of access tokens.
    pub without_project_bots: bool,
}

/// The users, newest first; never a bot whose token is gone.
///
/// # Errors
/// When the database is away.
pub fn list(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<User>, Error> {
    let base = || {
        let mut query = users::table
            .filter(users::bot_gone_at.is_null())
            .into_boxed::<Backend>();
        if let Some(username) = &filter.username {
            query = query.filter(users::username_key.eq(key(username)));
        }
        if let Some(search) = &filter.search {
            let pattern = like_pattern(search);
            let contains = lower(users::name)
                .like(pattern.clone())
                .escape('\\')
                .or(users::username_key.like(pattern).escape('\\'));
            query = if ctx.actor.is_admin() {
                query.filter(contains.or(users::email_key.eq(key(search.trim()))))
            } else {
                query.filter(contains)
            };
        }
        if filter.active {
            query = query.filter(users::state.eq(UserState::Active.as_str()));
        }
        if filter.blocked {
            query = query.filter(users::state.eq(UserState::Blocked.as_str()));
        }
        // By the kinds that remain, so that an index can find a few people among very many bots.
        if filter.humans {
            query = query.filter(users::kind.eq(UserKind::Human.as_str()));
        } else if filter.without_project_bots {
            let kinds = [UserKind::Human, UserKind::Ghost].map(UserKind::as_str);
            query = query.filter(users::kind.eq_any(kinds));
        }
        query
    };
    let rows: Vec<User> = base()
        .select(User::as_select())
        .order(users::id.desc())
        .page(request)
        .load(conn)?;
    Page::counted(rows, request, || {
        Ok(base()
            .select(users::id)
            .at_most(COUNTED_AT_MOST + 1)
            .load(conn)?)
    })
}
