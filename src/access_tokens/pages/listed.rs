//! Tokens as rows of lists that reach over many places.

use super::super::ListedToken;
use super::super::unused::idleness;
use super::rows;
use crate::context::Context;
use crate::web::views::components::{Day, Expiry, Moment};
use crate::web::views::token_lists::ListedTokenRow;

/// Where the tokens of a group or project are.
pub(super) fn tokens_path(kind: &str, full_path: &str) -> String {
    match kind {
        "group" => format!("/groups/{full_path}/-/settings/access_tokens"),
        _ => format!("/{full_path}/-/settings/access_tokens"),
    }
}

/// The group or project, or the person.
pub(super) fn holder(listed: &ListedToken, full_path: Option<String>) -> String {
    full_path.unwrap_or_else(|| format!("@{}", listed.user.username))
}

/// A token and the path of its group or project; a person's own has none.
pub(super) fn row(listed: ListedToken, full_path: Option<String>, ctx: &Context) -> ListedTokenRow {
    let today = ctx.today();
    let token = &listed.token;
    let list = full_path
        .as_ref()
        .map(|path| tokens_path(token.kind(), path));
    ListedTokenRow {
        id: token.id,
        href: list.as_ref().map(|list| format!("{list}/{}", token.id)),
        holder: holder(&listed, full_path),
        holder_href: list,
        kind: match token.kind() {
            "group" => "Group",
            "project" => "Project",
            _ => "Personal",
        },
        role: rows::role(&listed, today),
        scopes: rows::scopes(&listed),
        created: Day::on(token.created_at.date_naive()),
        last_used: listed.last_used_at.map(|at| Moment::at(at, ctx.now)),
        idle: Some(token.is_active(ctx.now))
            .filter(|active| *active)
            .and_then(|_| idleness(token.here_since(), listed.last_used_at, ctx.now))
            .map(rows::idle),
        expires: token.expires_at.map(|date| Expiry::on(date, today)),
        is_over: token.expires_at.is_some_and(|date| date <= today),
        old_values: rows::old_values(&listed, ctx.now),
        state: rows::state(&listed, ctx.now),
        can_revoke: !token.is_revoked(ctx.now),
        hint: token.hint.clone(),
        name: token.name.clone(),
    }
}
