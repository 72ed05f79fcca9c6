//! The words of a hint, from what is so when it is sent.

use askama::Template;
use chrono::{DateTime, Utc};

use crate::access_tokens::attention::{self, Noticed};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::users;
use crate::web::views::dates::ago;

/// At most so many tokens are listed.
const LISTED: usize = 50;

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// One line.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For those that show HTML.
    pub html: String,
}

/// The hint for this person, as things are now; nothing if there is nothing to say any more, or they may not act.
///
/// # Errors
/// When the database is away.
pub fn compose_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
) -> Result<Option<Composed>, Error> {
    let Some(person) = users::store::find(conn, user_id)?.filter(users::User::is_active) else {
        return Ok(None);
    };
    let mut found = attention::unused_of(conn, ctx, user_id)?;
    if found.is_empty() {
        return Ok(None);
    }
    let more = found.len() > LISTED;
    found.truncate(LISTED);
    let count = found.len();
    let subject = match (count, more) {
        (1, _) => "1 access token is not used".to_owned(),
        (count, false) => format!("{count} access tokens are not used"),
        (count, true) => format!("More than {count} access tokens are not used"),
    };
    let tokens: Vec<Line> = found.into_iter().map(|token| line(ctx, token)).collect();
    let settings = ctx.url("/-/profile/notifications");
    let render = |error: askama::Error| Error::internal(error.into());
    let text = Text {
        name: &person.name,
        tokens: &tokens,
        more,
        settings: &settings,
    };
    let html = Html {
        subject: &subject,
        name: &person.name,
        tokens: &tokens,
        more,
        settings: &settings,
    };
    Ok(Some(Composed {
        text: text.render().map_err(render)?,
        html: html.render().map_err(render)?,
        subject,
    }))
}

fn line(ctx: &Context, token: Noticed) -> Line {
    Line {
        used: used(token.last_used_at, ctx.now),
        href: ctx.url(&token.page()),
        resource: token.full_path,
        name: token.name,
    }
}

fn used(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    match at {
        Some(at) => format!("last used {}", ago(at, now)),
        None => "never used".into(),
    }
}

/// A token in the list.
struct Line {
    name: String,
    resource: String,
    used: String,
    href: String,
}

#[derive(Template)]
#[template(path = "mail/unused_tokens.txt", whitespace = "preserve")]
struct Text<'a> {
    name: &'a str,
    tokens: &'a [Line],
    more: bool,
    settings: &'a str,
}

#[derive(Template)]
#[template(path = "mail/unused_tokens.html", whitespace = "minimize")]
struct Html<'a> {
    subject: &'a str,
    name: &'a str,
    tokens: &'a [Line],
    more: bool,
    settings: &'a str,
}
