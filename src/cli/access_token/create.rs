//! `latchkey token create`

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;

use super::{hand_over, must_be_enabled};
use crate::access_tokens::create::{Created, NewAccessToken, create, create_personal};
use crate::access_tokens::scope::{Scope, Scopes};
use crate::cli::acting::Acting;
use crate::cli::instance::Instance;
use crate::cli::output::Output;
use crate::cli::target::{Held, Holder};
use crate::cli::{Failure, arguments};
use crate::error::Error;
use crate::members::AccessLevel;

/// Create a token of a group, a project or a user, and print its value, once
///
/// Standard output carries the value and nothing else: TOKEN=$(latchkey token create --group acme --name ci).
/// This works also where the creation of tokens is turned off for the group.
#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    holder: Holder,

    /// Says what will use it
    #[arg(long)]
    name: String,

    /// Says more
    #[arg(long)]
    description: Option<String>,

    /// guest, planner, reporter, developer, maintainer or owner, or its number; not for --user
    /// [default: maintainer]
    #[arg(long, value_parser = arguments::access_level, conflicts_with = "user")]
    role: Option<AccessLevel>,

    /// What it opens; more than one with more --scope or with commas [default: api,write_repository, but none
    /// for --user]
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,

    /// The day at whose beginning, in UTC, it stops working [default: in 365 days, or what the instance allows]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = arguments::date)]
    expires_at: Option<NaiveDate>,

    #[command(flatten)]
    acting: Acting,
}

impl Create {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        if self.holder.user.is_some() && self.scopes.is_empty() {
            return Err(Failure::usage(
                "--user needs --scope: a person's own token has no default",
            ));
        }
        let outcome = instance.open(&self.acting)?.write(move |conn, ctx| {
            must_be_enabled(ctx)?;
            let held = self.holder.find(conn)?;
            let registry = ctx.policy.settings.registry_enabled;
            let offered = match &held {
                Held::By(_) => Scope::offered_to_resource_tokens(registry),
                Held::Personally(user) => Scope::offered_to_people(user.admin, registry),
            };
            let new = NewAccessToken {
                name: self.name.clone(),
                description: self.description.clone(),
                scopes: chosen(&self.scopes, &offered)?,
                access_level: self.role.unwrap_or(AccessLevel::Maintainer),
                expires_at: self.expires_at,
            };
            let now = ctx.now;
            Ok(match held {
                // A refusal is a line in the audit trail too, and that is kept.
                Held::By(resource) => create(conn, ctx, &resource, &new)?
                    .map(|created| (created, resource.full_path(), now)),
                Held::Personally(user) => {
                    Ok((create_personal(conn, ctx, &user, &new)?, user.username, now))
                }
            })
        })?;
        let (created, whose, now): (Created, String, DateTime<Utc>) = outcome?;
        hand_over(out, &created, &whose, now)
    }
}

fn chosen(names: &[String], offered: &[Scope]) -> Result<Vec<Scope>, Error> {
    if names.is_empty() {
        return Ok(vec![Scope::Api, Scope::WriteRepository]);
    }
    let scopes =
        Scopes::from_names(names.iter().map(String::as_str), offered).map_err(|problem| {
            let offered: Vec<&str> = offered.iter().map(|scope| scope.name()).collect();
            Error::refused(format!("{problem}: {}", offered.join(", ")))
        })?;
    Ok(scopes.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_scopes_it_is_api_and_write_repository_as_in_the_documents() {
        let offered = Scope::offered_to_resource_tokens(true);
        assert_eq!(
            chosen(&[], &offered).unwrap(),
            [Scope::Api, Scope::WriteRepository]
        );
    }

    #[test]
    fn a_scope_that_is_not_on_offer_is_refused_with_those_that_are() {
        let offered = Scope::offered_to_resource_tokens(true);
        for name in ["read_user", "sudo", "API", "api ", ""] {
            let error = chosen(&[name.to_owned()], &offered)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("read_repository") && !error.contains("sudo"),
                "{error}"
            );
        }
    }
}
