//! Sessions in the words of the pages.

use super::store::LivingSession;
use super::{browser, handle};
use crate::context::Context;
use crate::web::views::components::Moment;
use crate::web::views::sessions::SessionRow;

/// A browser that somebody is signed in with.
pub fn row(session: &LivingSession, ctx: &Context) -> SessionRow {
    SessionRow {
        id: handle::of(&ctx.instance.lookup_key, &session.id_digest),
        browser: browser::describe(&session.user_agent),
        ip: session.ip.clone(),
        started: Moment::at(session.created_at, ctx.now),
        seen: Moment::at(session.last_seen_at, ctx.now),
    }
}
