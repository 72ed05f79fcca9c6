//! `latchkey token inspect`

use clap::Args;
use serde_json::{Value, json};

use super::{role_of, state_of};
use crate::access_tokens::authenticate::{self, Found};
use crate::access_tokens::secret::Candidate;
use crate::cli::acting::Acting;
use crate::cli::instance::Instance;
use crate::cli::output::Output;
use crate::cli::{Failure, input, json};
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::AccessLevel;
use crate::users::Identity;
use crate::{groups, projects};

/// Read a value from standard input and tell which token it is
///
/// The value is not printed, and this does not count as a use. A value that is no token of this instance ends
/// with status 1: echo "$VALUE" | latchkey token inspect
#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    #[command(flatten)]
    acting: Acting,
}

impl Inspect {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let console = instance.open(&self.acting)?;
        let text = input::line("Paste the value (it will be visible) and press Enter:", out)?;
        let candidate = Candidate::parse(&text).map_err(|refused| {
            Failure::new(format!(
                "this is no token: what came on standard input is {refused}"
            ))
        })?;
        let known = console.read(|conn, ctx| {
            let key = &ctx.instance.token_key;
            let digests = key.digests(candidate.expose(), &ctx.policy.salts);
            let today = ctx.today();
            let (_, Some(found)) = authenticate::find(conn, digests, today)? else {
                return Ok(None);
            };
            let resource = path_of(conn, &found)?;
            Ok(Some((
                state_of(&found.token, &Identity::from(&found.user), ctx.now),
                resource,
                found,
            )))
        })?;
        let Some((state, resource, found)) = known else {
            return Err(Failure::new("this is no token of this instance"));
        };
        let level = level_of(&found);
        out.lines(
            &object(&found, state, resource.as_deref(), level),
            &text_of(&found, state, resource.as_deref(), level),
        )
    }
}

fn path_of(conn: &mut DbConnection, found: &Found) -> Result<Option<String>, Error> {
    Ok(match (found.token.group_id, found.token.project_id) {
        (Some(id), _) => groups::store::find(conn, id)?.map(|group| group.full_path),
        (_, Some(id)) => projects::store::find(conn, id)?.map(|project| project.full_path()),
        (None, None) => None,
    })
}

/// The role that counts today; a bot that isn't a member any more has none.
fn level_of(found: &Found) -> Option<AccessLevel> {
    let token = &found.token;
    found
        .memberships
        .iter()
        .find(|membership| {
            (token.group_id.is_some() && membership.group_id == token.group_id)
                || (token.project_id.is_some() && membership.project_id == token.project_id)
        })
        .map(|membership| membership.access_level)
}

fn object(found: &Found, state: &str, resource: Option<&str>, level: Option<AccessLevel>) -> Value {
    let (token, user) = (&found.token, &found.user);
    json!({
        "id": token.id,
        "kind": token.kind(),
        "name": token.name,
        "state": state,
        "resource": resource,
        "username": user.username,
        "bot": user.is_bot(),
        "access_level": level.map(AccessLevel::number),
        "role": level.map(AccessLevel::name),
        "scopes": token.scopes.names(),
        "expires_at": token.expires_at,
        "created_at": json::moment(token.created_at),
    })
}

fn text_of(
    found: &Found,
    state: &str,
    resource: Option<&str>,
    level: Option<AccessLevel>,
) -> String {
    let (token, user) = (&found.token, &found.user);
    let role = match (token.kind(), level) {
        ("personal", _) => None,
        (_, None) => Some("none, its bot is not a member".to_owned()),
        (_, level) => Some(role_of(level)),
    };
    let rows = [
        ("Kind", Some(format!("{} access token", token.kind()))),
        ("Id", Some(token.id.to_string())),
        ("Name", Some(token.name.clone())),
        ("State", Some(state.to_owned())),
        ("Resource", resource.map(str::to_owned)),
        ("Acts as", Some(user.username.clone())),
        ("Role", role),
        ("Scopes", Some(token.scopes.names().join(", "))),
        (
            "Expires",
            Some(
                token
                    .expires_at
                    .map_or_else(|| "never".to_owned(), |date| date.to_string()),
            ),
        ),
    ];
    rows.into_iter()
        .filter_map(|(label, value)| Some(format!("{label:<9} {}", value?)))
        .collect::<Vec<_>>()
        .join("\n")
}
