//! The words of a hint, from what is so when it is sent.

use crate::access_tokens::attention::{self, Noticed};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::mail::deliver::Composed;
use crate::mail::message::one_line;
use crate::notices::letter::{Letter, TokenLine, TokenList};
use crate::users::User;
use crate::web::views::dates::ago;

/// At most so many tokens are listed.
const LISTED: i64 = 50;

/// The hint for this person, as things are now.
///
/// # Errors
/// When the database is away.
pub fn compose(conn: &mut DbConnection, ctx: &Context, person: &User) -> Result<Composed, Error> {
    let mut found = attention::unused_of(conn, ctx, person.id, LISTED + 1)?;
    if found.is_empty() {
        return Ok(Composed::Drop("All tokens are in use, or gone".into()));
    }
    let listed = usize::try_from(LISTED).unwrap_or(usize::MAX);
    let more = found.len() > listed;
    found.truncate(listed);
    let (subject, lead) = match (found.len(), more) {
        (1, _) => (
            "1 access token is not used".to_owned(),
            "Nobody has used this access token for 30 days or more:".to_owned(),
        ),
        (count, more) => (
            format!(
                "{}{count} access tokens are not used",
                if more { "More than " } else { "" }
            ),
            "Nobody has used these access tokens for 30 days or more:".to_owned(),
        ),
    };
    let reason = format!(
        "You receive this mail because you asked to be told once a week which tokens that you look after nobody uses. \
         Change that: {}",
        ctx.url("/-/profile/notifications")
    );
    let list = TokenList {
        lead,
        lines: found.into_iter().map(|token| line(ctx, &token)).collect(),
        left_out: if more {
            "There are more than these.".to_owned()
        } else {
            String::new()
        },
        advice: "A token that nobody uses is a door that nobody watches: revoke what is not needed any more.".to_owned(),
    };
    let letter = Letter::to(person, &ctx.instance, subject, reason);
    Ok(Composed::Send(list.message(person, &letter)?))
}

fn line(ctx: &Context, token: &Noticed) -> TokenLine {
    TokenLine {
        name: one_line(&token.name),
        place: format!(
            "{}: {}",
            if token.of_group { "Group" } else { "Project" },
            token.full_path
        ),
        fact: match token.last_used_at {
            Some(at) => format!("last used {}", ago(at, ctx.now)),
            None => "never used".to_owned(),
        },
        href: ctx.url(&token.page()),
    }
}
