//! `latchkey token list`

use clap::Args;

use super::{must_be_enabled, role_of, state_of};
use crate::access_tokens::ListedToken;
use crate::access_tokens::list::{Query, of_resource, of_user};
use crate::cli::acting::Acting;
use crate::cli::instance::Instance;
use crate::cli::output::{Output, Table};
use crate::cli::target::{Held, Holder};
use crate::cli::{Failure, json};
use crate::db::PageRequest;

/// List the tokens of a group, a project or a user, active or not
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    holder: Holder,

    #[command(flatten)]
    acting: Acting,
}

impl List {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let (tokens, now) = instance.open(&self.acting)?.read(|conn, ctx| {
            must_be_enabled(ctx)?;
            let held = self.holder.find(conn)?;
            let query = Query {
                with_old_values: true,
                ..Query::default()
            };
            let mut all: Vec<ListedToken> = Vec::new();
            for page in 1.. {
                let request = PageRequest {
                    page,
                    per_page: 100,
                };
                let found = match &held {
                    Held::By(resource) => of_resource(conn, ctx, resource, &query, request)?,
                    Held::Personally(user) => of_user(conn, ctx, user.id, &query, request)?,
                };
                all.extend(found.rows);
                if !found.has_next {
                    break;
                }
            }
            Ok((all, ctx.now))
        })?;
        let mut table = Table::new(
            &[
                "ID",
                "NAME",
                "ROLE",
                "SCOPES",
                "EXPIRES",
                "LAST USED",
                "STATE",
            ],
            "There are no tokens.",
        );
        for listed in &tokens {
            let token = &listed.token;
            table.row([
                token.id.to_string(),
                token.name.clone(),
                role_of(listed.access_level),
                token.scopes.names().join(","),
                token
                    .expires_at
                    .map_or_else(|| "never".to_owned(), |date| date.to_string()),
                listed.last_used_at.map_or_else(
                    || "never".to_owned(),
                    |at| at.format("%Y-%m-%d %H:%M").to_string(),
                ),
                state_of(token, &listed.user, now).to_owned(),
            ]);
        }
        out.list(
            tokens
                .iter()
                .map(|listed| json::token(listed, now))
                .collect(),
            &table,
        )
    }
}
