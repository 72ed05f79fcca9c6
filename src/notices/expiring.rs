//! The words of the mails that the expiry check puts into the outbox. What is true when a mail is sent counts: who
//! does not look after a token any more is not told of it, and nobody is told of one that was revoked.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::check::{inheriting, kind, resource_id, resources_of};
use super::compose::Words;
use super::interval::Interval;
use super::letter::{Letter, Notice, TokenLine, TokenList};
use super::recipients::{self, ResourceId};
use crate::access_tokens::{AccessToken, Resource};
use crate::context::Context;
use crate::db::DbConnection;
use crate::db::schema::{access_tokens, expiry_notices, users};
use crate::error::Error;
use crate::mail::deliver::Composed;
use crate::mail::message::one_line;
use crate::mail::outbox::Email;
use crate::users::User;

/// Tokens that one mail names; it counts the others.
const NAMED: usize = 100;

/// Tokens that are looked at for one mail; whether the others still concern the person isn't asked.
const LOOKED_AT: i64 = 500;

/// Is it a mail of the expiry check?
pub fn is_kind(email_kind: &str) -> bool {
    [kind::TOKEN_EXPIRING, kind::PERSONAL_EXPIRING, kind::DIGEST].contains(&email_kind)
}

/// The words for this person, or why there is nothing to say any more.
///
/// # Errors
/// When the database is away.
pub fn compose(
    conn: &mut DbConnection,
    ctx: &Context,
    person: &User,
    email: &Email,
) -> Result<Composed, Error> {
    let (told, unseen) = told(conn, ctx, person, email)?;
    let Some(first) = told.first() else {
        return Ok(Composed::Drop(
            "The tokens were revoked, or are somebody else's to look after now".into(),
        ));
    };
    match (email.kind.as_str(), &first.resource) {
        (kind::TOKEN_EXPIRING, Some(resource)) => {
            single(ctx, first, resource).sent_to(person, &ctx.instance)
        }
        (kind::PERSONAL_EXPIRING, _) => several(ctx, person, &told, unseen, about_own(first)),
        _ => several(
            ctx,
            person,
            &told,
            unseen,
            about_everything(told.len() + unseen),
        ),
    }
}

/// A token that the person is told of.
struct Told {
    token: AccessToken,
    interval: Interval,
    resource: Option<Resource>,
}

/// What this mail speaks of, as far as it still concerns the person, the most urgent first; and how many more there are
/// that were not looked at.
fn told(
    conn: &mut DbConnection,
    ctx: &Context,
    person: &User,
    email: &Email,
) -> Result<(Vec<Told>, usize), Error> {
    macro_rules! living {
        () => {
            expiry_notices::table
                .inner_join(access_tokens::table.on(access_tokens::id.eq(expiry_notices::token_id)))
                .inner_join(users::table.on(users::id.eq(access_tokens::user_id)))
                .filter(expiry_notices::email_key.eq(&email.key))
                .filter(diesel::dsl::not(access_tokens::revoked))
                .filter(access_tokens::expires_at.ge(ctx.today()))
                .filter(users::bot_gone_at.is_null())
        };
    }
    let rows: Vec<(AccessToken, i64)> = living!()
        .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
        .limit(LOOKED_AT)
        .select((AccessToken::as_select(), expiry_notices::interval_days))
        .load(conn)?;
    let unseen = if i64::try_from(rows.len()).is_ok_and(|seen| seen < LOOKED_AT) {
        0
    } else {
        let all: i64 = living!().count().get_result(conn)?;
        usize::try_from(all - LOOKED_AT).unwrap_or(0)
    };
    let tokens: Vec<AccessToken> = rows.iter().map(|(token, _)| token.clone()).collect();
    let resources = resources_of(conn, &tokens)?;
    let all: Vec<&Resource> = resources.values().collect();
    let inherited = inheriting(conn, ctx, &all)?;
    let looks_after =
        recipients::of_resources(conn, ctx.today(), &all, &inherited, Some(person.id))?;
    let still = |id: ResourceId| {
        looks_after
            .get(&id)
            .is_some_and(|some| some.iter().any(|one| one.user_id == person.id))
    };
    let told = rows
        .into_iter()
        .filter_map(|(token, days)| {
            let interval = Interval::of_days(days)?;
            let resource = match resource_id(&token) {
                Some(id) if still(id) => Some(resources.get(&id)?.clone()),
                None if token.user_id == person.id => None,
                _ => return None,
            };
            Some(Told {
                token,
                interval,
                resource,
            })
        })
        .collect();
    Ok((told, unseen))
}

/// `Group` or `Project`.
fn noun(resource: &Resource) -> &'static str {
    match resource {
        Resource::Group(_) => "Group",
        Resource::Project(_) => "Project",
    }
}

/// Its page of access tokens.
fn tokens_page(ctx: &Context, resource: Option<&Resource>) -> String {
    ctx.url(&match resource {
        Some(Resource::Group(group)) => {
            format!("/groups/{}/-/settings/access_tokens", group.full_path)
        }
        Some(Resource::Project(project)) => {
            format!("/{}/-/settings/access_tokens", project.full_path())
        }
        None => "/-/user_settings/personal_access_tokens".to_owned(),
    })
}

fn single(ctx: &Context, told: &Told, resource: &Resource) -> Words {
    let (noun, path) = (noun(resource), resource.full_path());
    let days = told.interval.days();
    let name = one_line(&told.token.name);
    Words {
        subject: format!("Your resource access tokens will expire in {days} days or less"),
        notice: Notice {
            lead: format!(
                "The {noun} access token named {name} of \"{noun}: {path}\" expires in {days} days or less."
            ),
            facts: vec![
                ("Token", name),
                (noun, path),
                ("Expires", end(told.token.expires_at)),
                ("Scopes", told.token.scopes.names().join(", ")),
            ],
            advice: vec![
                "From then on, whatever uses it is turned away. Rotate the token, or make a new one, and give its value \
                 to the programs that use it."
                    .to_owned(),
            ],
            link: ("See the access tokens", tokens_page(ctx, Some(resource))),
        },
        reason: match resource {
            Resource::Group(_) => "You receive this mail because you are an Owner of the group.",
            Resource::Project(_) => {
                "You receive this mail because you are an Owner or Maintainer of the project."
            }
        }
        .to_owned(),
    }
}

/// `25 Nov 2026, 00:00 UTC`.
fn end(expires_at: Option<NaiveDate>) -> String {
    expires_at.map_or_else(
        || "Never".to_owned(),
        |date| date.format("%-d %b %Y, 00:00 UTC").to_string(),
    )
}

/// What a mail about several tokens begins and ends with.
struct About {
    subject: String,
    lead: String,
    reason: String,
}

fn about_own(first: &Told) -> About {
    let days = first.interval.days();
    About {
        subject: format!("Your personal access tokens will expire in {days} days or less"),
        lead: format!("These personal access tokens of yours expire in {days} days or less:"),
        reason: "You receive this mail because these tokens act as you.".to_owned(),
    }
}

fn about_everything(number: usize) -> About {
    let lead = match number {
        1 => "One access token that you look after expires soon:".to_owned(),
        n => format!("{n} access tokens that you look after expire soon, the first ones first:"),
    };
    About {
        subject: match number {
            1 => "1 access token expires soon".to_owned(),
            n => format!("{n} access tokens expire soon"),
        },
        lead,
        reason: "You receive this mail because you own groups, or own or maintain projects, that these tokens \
                 belong to, and chose one mail a day."
            .to_owned(),
    }
}

fn several(
    ctx: &Context,
    person: &User,
    told: &[Told],
    unseen: usize,
    about: About,
) -> Result<Composed, Error> {
    let letter = Letter::to(person, &ctx.instance, about.subject, about.reason);
    let lines: Vec<TokenLine> = told
        .iter()
        .take(NAMED)
        .map(|one| TokenLine {
            name: one_line(&one.token.name),
            place: one.resource.as_ref().map_or_else(
                || "Your own".to_owned(),
                |resource| format!("{}: {}", noun(resource), resource.full_path()),
            ),
            fact: format!("expires {}", end(one.token.expires_at)),
            href: tokens_page(ctx, one.resource.as_ref()),
        })
        .collect();
    let list = TokenList {
        lead: about.lead,
        left_out: match told.len() - lines.len() + unseen {
            0 => String::new(),
            more => format!("And {more} more."),
        },
        lines,
        advice: "From then on, whatever uses them is turned away. Rotate them, or make new ones, and give the new values \
                 to the programs that use them."
            .to_owned(),
    };
    Ok(Composed::Send(list.message(person, &letter)?))
}
