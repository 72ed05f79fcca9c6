//! Pages: all tokens of the instance, and the end of some of them. Values are nowhere among them.

mod address;

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{listed, selected};
use crate::access_tokens::scope::Scope;
use crate::access_tokens::{ListedToken, Resource, TokenType, list, revoke as revoking, store};
use crate::context::Context;
use crate::db::{DbConnection, Page};
use crate::error::{Error, FieldErrors, What};
use crate::permissions::Right;
use crate::web::lists::{foot, page_or_last, total};
use crate::web::page::PageCall;
use crate::web::views::admin::credentials::{CredentialFilter, CredentialsPage};
use crate::web::views::components::{Choice, Column};
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Sidebar};
use crate::web::views::token_lists::{ListedTokenRow, TokenTable};
use address::Listing;

/// The list's own address.
const PATH: &str = "/admin/credentials";

/// A page of tokens with their groups and projects, by the tokens' ids.
type Found = (Page<ListedToken>, HashMap<i64, Resource>);

/// `GET /admin/credentials` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let listing = Listing::parse(&call.query);
    let asked = listing.clone();
    let found = call.read(move |conn, ctx| find(conn, ctx, &asked)).await;
    match found {
        Ok(found) => call.ok(&page(&call, &listing, Some(found), FormErrors::none())),
        Err(Error::Invalid(errors)) => {
            let page = page(&call, &listing, None, on_filter(&errors));
            call.render(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other),
    }
}

/// `GET /admin/credentials/revoke?ids=` (`Administer`): lists what was chosen, and asks.
///
/// # Errors
/// As [`index`].
pub async fn ask(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let back = selected::back(&call.query, PATH);
    let ids = match selected::chosen(&call.query) {
        Ok(ids) => ids,
        Err(problem) => return Ok(selected::refused(&call, &back, problem)),
    };
    let tokens = call
        .read(move |conn, ctx| {
            let tokens = list::by_ids(conn, ctx, &ids)?;
            let resources = store::resources_of(conn, tokens.iter().map(|listed| &listed.token))?;
            Ok(tokens
                .into_iter()
                .map(|one| {
                    let path = resources.get(&one.token.id).map(Resource::full_path);
                    let holder = listed::holder(&one, path);
                    (one, holder)
                })
                .collect())
        })
        .await?;
    let shell = || shell(&call, "Revoke access tokens");
    selected::ask(&call, shell, PATH, back, tokens)
}

/// `POST /admin/credentials/revoke` (`Administer`, `RevokeToken`): revokes what was chosen, all or none.
///
/// # Errors
/// As [`index`].
pub async fn revoke(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let back = selected::back(&call.form, PATH);
    let ids = match selected::chosen(&call.form) {
        Ok(ids) => ids,
        Err(problem) => return Ok(selected::refused(&call, &back, problem)),
    };
    let asked = ids.len();
    let together = call
        .write(move |conn, ctx| revoking::revoke_each(conn, ctx, &ids))
        .await?;
    Ok(selected::done(&call, &back, &together, asked))
}

fn administers(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::NotFound(What::Thing))
    }
}

fn shell(call: &PageCall, title: &'static str) -> Shell {
    let mut crumbs = vec![Crumb::link("Admin", "/admin")];
    if title == "Credentials" {
        crumbs.push(Crumb::here(title));
    } else {
        crumbs.push(Crumb::link("Credentials", PATH));
        crumbs.push(Crumb::here("Revoke"));
    }
    call.shell(title, crumbs, Some(Sidebar::admin(Place::Credentials)))
}

fn find(conn: &mut DbConnection, ctx: &Context, listing: &Listing) -> Result<Found, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let wanted = listing.resolve(conn, ctx.now)?;
    let page = page_or_last(wanted.request, |request| {
        list::of_instance(conn, ctx, wanted.user_id, &wanted.query, request)
    })?;
    let resources = store::resources_of(conn, page.rows.iter().map(|listed| &listed.token))?;
    Ok((page, resources))
}

fn on_filter(errors: &FieldErrors) -> FormErrors {
    let mut told = FormErrors::none();
    for (field, message) in errors.iter() {
        let label = match field {
            "expires_before" => "Expires before",
            "unused" => "Unused for",
            "group" => "Group",
            _ => "User",
        };
        told.add(field, format!("{label} {message}"));
    }
    told
}

fn page(
    call: &PageCall,
    listing: &Listing,
    found: Option<Found>,
    errors: FormErrors,
) -> CredentialsPage {
    let (page, resources) = found.unzip();
    let resources = resources.unwrap_or_default();
    let count = page.as_ref().map(|page| total(page.total));
    let pagination = page.as_ref().and_then(|page| {
        foot("Credentials", page, |number| {
            listing.href(PATH, |there| {
                there.page = i64::try_from(number).unwrap_or(1);
                there.all = false;
            })
        })
    });
    let rows: Vec<ListedTokenRow> = page
        .map(|page| page.rows)
        .unwrap_or_default()
        .into_iter()
        .map(|one| {
            let path = resources.get(&one.token.id).map(Resource::full_path);
            listed::row(one, path, &call.ctx)
        })
        .collect();
    CredentialsPage {
        shell: shell(call, "Credentials"),
        path: PATH,
        filter: filter(call, listing),
        errors,
        count,
        table: TokenTable {
            testid: "credentials",
            path: PATH.to_owned(),
            columns: columns(listing),
            any_living: rows.iter().any(|row| row.can_revoke),
            rows,
            all: listing.all,
            select_href: listing.href(PATH, |there| there.all = !there.all),
            back: listing.href(PATH, |there| there.all = false),
        },
        pagination,
    }
}

fn columns(listing: &Listing) -> Vec<Column> {
    let href = |sort: &str| {
        listing.href(PATH, |there| {
            there.sort = sort.to_owned();
            there.page = 1;
        })
    };
    let by = |label, key| Column::sortable(label, key, &listing.sort, &href);
    vec![
        by("Token", "name"),
        Column::fixed("Holder"),
        Column::fixed("Scopes"),
        by("Created", "created_at"),
        by("Last used", "last_used_at"),
        by("Expires", "expires_at"),
        Column::fixed("State"),
    ]
}

fn filter(call: &PageCall, listing: &Listing) -> CredentialFilter {
    let any = |chosen: &str| std::iter::once(Choice::new("", "Any", chosen));
    let chosen_type = listing.token_type.map_or("", TokenType::name);
    let chosen_scope = listing.scope.map_or("", Scope::name);
    let registry = call.ctx.policy.settings.registry_enabled;
    let scopes = Scope::offered_to_people(true, registry);
    CredentialFilter {
        search: listing.search.clone(),
        types: any(chosen_type)
            .chain(TokenType::ALL.map(|one| {
                let label = match one {
                    TokenType::Personal => "Personal",
                    TokenType::Group => "Group",
                    TokenType::Project => "Project",
                };
                Choice::new(one.name(), label, chosen_type)
            }))
            .collect(),
        states: any(&listing.state)
            .chain([
                Choice::new("active", "Active", &listing.state),
                Choice::new("inactive", "Inactive", &listing.state),
            ])
            .collect(),
        scopes: any(chosen_scope)
            .chain(
                scopes
                    .iter()
                    .map(|scope| Choice::new(scope.name(), scope.name(), chosen_scope)),
            )
            .collect(),
        group: listing.group.clone(),
        user: listing.user.clone(),
        expires_before: listing.expires_before.clone(),
        unused: listing.unused.clone(),
        sort: listing.sort.clone(),
        narrows: listing.narrows(),
    }
}
