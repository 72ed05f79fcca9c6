//! Pages: all tokens below a top-level group, and the end of some of them. Values are nowhere among them.

mod address;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{listed, selected};
use crate::access_tokens::inventory::export::Export;
use crate::access_tokens::inventory::{self, Cursor, Found, Slice};
use crate::access_tokens::scope::Scope;
use crate::access_tokens::unused::Span;
use crate::access_tokens::{TokenType, revoke as revoking};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors};
use crate::groups::{self, Group};
use crate::members::AccessLevel;
use crate::web::download::{self, Pieces};
use crate::web::lists::total;
use crate::web::page::PageCall;
use crate::web::views::components::{Choice, Column};
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::Place;
use crate::web::views::token_lists::{InventoryFilter, InventoryPage, ListedTokenRow, TokenTable};
use address::Listing;

/// Tokens of a page.
const PER_PAGE: i64 = 50;

const TITLE: &str = "Token inventory";

/// `GET /groups/{full_path}/-/token_inventory` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but the group's Owners and administrators, and for a group below another one.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    let asked = Listing::parse(&call.query);
    let name = call.segment("full_path").to_owned();
    let (root, listing, found) = call
        .read(move |conn, ctx| {
            let root = inventory::find_root(conn, ctx, &name)?;
            let keeps_ended = inventory::keeps_ended(ctx, &root);
            let listing = asked.clone().where_kept(keeps_ended);
            let found = match listing.query(ctx.now) {
                Ok(query) => {
                    let part = listing.part();
                    Ok(inventory::list(conn, ctx, &root, &query, part, PER_PAGE)?)
                }
                Err(errors) => Err(errors),
            };
            Ok((root, listing, found))
        })
        .await?;
    match found {
        Ok(slice) => call.ok(&page(
            &call,
            &root,
            &listing,
            Some(slice),
            FormErrors::none(),
        )),
        Err(errors) => unreadable(&call, &root, &listing, &errors),
    }
}

/// `GET /groups/{full_path}/-/token_inventory.csv` (`SeeTokens`, `SeeGroup`): every token that the page would list.
///
/// # Errors
/// As [`index`]; [`Error::TooManyRequests`] beyond 60 exports a minute.
pub async fn export(call: PageCall) -> Result<HttpResponse, Error> {
    let root = find_root(&call).await?;
    let keeps_ended = inventory::keeps_ended(&call.ctx, &root);
    let listing = Listing::parse(&call.query).where_kept(keeps_ended);
    download::admit(&call)?;
    match listing.query(call.ctx.now) {
        Ok(query) => {
            let name = format!("tokens-{}-{}.csv", root.full_path, call.ctx.today());
            let export = Export::of(root, query);
            download::send(&call, &name, "text/csv; charset=utf-8", export)
        }
        Err(errors) => unreadable(&call, &root, &listing, &errors),
    }
}

impl Pieces for Export {
    fn next(&mut self, conn: &mut DbConnection, ctx: &Context) -> Result<Option<Vec<u8>>, Error> {
        Export::next(self, conn, ctx)
    }
}

/// `GET /groups/{full_path}/-/token_inventory/revoke?ids=` (`SeeTokens`, `SeeGroup`): lists what was chosen, and asks.
///
/// # Errors
/// As [`index`].
pub async fn ask(call: PageCall) -> Result<HttpResponse, Error> {
    let name = call.segment("full_path").to_owned();
    let ids = selected::chosen(&call.query);
    let wanted = ids.clone().unwrap_or_default();
    let (root, tokens) = call
        .read(move |conn, ctx| {
            let root = inventory::find_root(conn, ctx, &name)?;
            let tokens = inventory::by_ids(conn, ctx, &root, &wanted)?;
            Ok((root, tokens))
        })
        .await?;
    let path = path(&root);
    let back = selected::back(&call.query, &path);
    if let Err(problem) = ids {
        return Ok(selected::refused(&call, &back, problem));
    }
    let tokens = tokens
        .into_iter()
        .map(|found| (found.listed, found.full_path))
        .collect();
    let shell = || shell(&call, &root, true);
    selected::ask(&call, shell, &path, back, tokens)
}

/// `POST /groups/{full_path}/-/token_inventory/revoke` (`SeeTokens`, `RevokeToken`, `SeeGroup`): revokes what was chosen,
/// all or none.
///
/// # Errors
/// As [`index`].
pub async fn revoke(call: PageCall) -> Result<HttpResponse, Error> {
    let root = find_root(&call).await?;
    let back = selected::back(&call.form, &path(&root));
    let ids = match selected::chosen(&call.form) {
        Ok(ids) => ids,
        Err(problem) => return Ok(selected::refused(&call, &back, problem)),
    };
    let asked = ids.len();
    let together = call
        .write(move |conn, ctx| revoking::revoke_below(conn, ctx, &root, &ids))
        .await?;
    Ok(selected::done(&call, &back, &together, asked))
}

async fn find_root(call: &PageCall) -> Result<Group, Error> {
    let name = call.segment("full_path").to_owned();
    call.read(move |conn, ctx| inventory::find_root(conn, ctx, &name))
        .await
}

fn path(root: &Group) -> String {
    format!("/groups/{}/-/token_inventory", root.full_path)
}

/// The frame of the list, or of the page that asks.
fn shell(call: &PageCall, root: &Group, asks: bool) -> Shell {
    let mut shell = groups::frame::shell(call, root, TITLE, Place::TokenInventory);
    if asks {
        shell.title = format!("Revoke access tokens · {}", shell.title);
        if let Some(list) = shell.breadcrumbs.last_mut() {
            list.href = Some(path(root));
        }
        shell.breadcrumbs.push(Crumb::here("Revoke"));
    }
    shell
}

fn unreadable(
    call: &PageCall,
    root: &Group,
    listing: &Listing,
    errors: &FieldErrors,
) -> Result<HttpResponse, Error> {
    let mut told = FormErrors::none();
    for (field, message) in errors.iter() {
        told.add(field, format!("Expires before {message}"));
    }
    let page = page(call, root, listing, None, told);
    call.render(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn page(
    call: &PageCall,
    root: &Group,
    listing: &Listing,
    slice: Option<Slice>,
    errors: FormErrors,
) -> InventoryPage {
    let path = path(root);
    let by_end = listing.is_by_end();
    let place = |found: Option<&Found>| {
        let token = &found?.listed.token;
        Some(Cursor::of(token.expires_at, token.id, by_end))
    };
    let slice = slice.unwrap_or(Slice {
        tokens: Vec::new(),
        has_previous: false,
        has_next: false,
        total: None,
    });
    let first = Some(listing.turned(&path, None, None)).filter(|_| slice.has_previous);
    let previous = place(slice.tokens.first())
        .filter(|_| slice.has_previous)
        .map(|place| listing.turned(&path, None, Some(place)));
    let next = place(slice.tokens.last())
        .filter(|_| slice.has_next)
        .map(|place| listing.turned(&path, Some(place), None));
    let rows: Vec<ListedTokenRow> = slice
        .tokens
        .into_iter()
        .map(|found| listed::row(found.listed, Some(found.full_path), &call.ctx))
        .collect();
    InventoryPage {
        shell: shell(call, root, false),
        group: root.full_path.clone(),
        filter: filter(call, root, listing),
        errors,
        count: slice.total.map(total),
        first,
        previous,
        next,
        csv: listing.href(&format!("{path}.csv"), |there| {
            there.after.clear();
            there.before.clear();
            there.all = false;
        }),
        table: TokenTable {
            testid: "inventory",
            path: path.clone(),
            columns: columns(listing, &path),
            any_living: rows.iter().any(|row| row.can_revoke),
            rows,
            all: listing.all,
            select_href: listing.href(&path, |there| there.all = !there.all),
            back: listing.href(&path, |there| there.all = false),
        },
        path,
    }
}

fn columns(listing: &Listing, path: &str) -> Vec<Column> {
    let href = |sort: &str| {
        listing.href(path, |there| {
            there.sort = Some(sort.to_owned())
                .filter(|sort| sort != address::SOONEST_FIRST)
                .unwrap_or_default();
            there.after.clear();
            there.before.clear();
            there.all = false;
        })
    };
    vec![
        Column::fixed("Token"),
        Column::fixed("Group or project"),
        Column::fixed("Scopes"),
        Column::fixed("Created"),
        Column::fixed("Last used"),
        if listing.is_by_end() {
            Column::sortable("Expires", "expires_at", listing.sort(), &href)
        } else {
            Column::fixed("Expires")
        },
        Column::fixed("State"),
    ]
}

fn filter(call: &PageCall, root: &Group, listing: &Listing) -> InventoryFilter {
    let any = |chosen: &str| std::iter::once(Choice::new("", "Any", chosen));
    let kind = listing.kind.map_or("", TokenType::name);
    let scope = listing.scope.map_or("", Scope::name);
    let role = listing
        .role
        .map(|role| role.number().to_string())
        .unwrap_or_default();
    let unused = listing
        .unused
        .map(|span| span.days().to_string())
        .unwrap_or_default();
    let registry = call.ctx.policy.settings.registry_enabled;
    InventoryFilter {
        search: listing.search.clone(),
        kinds: any(kind)
            .chain([
                Choice::new("group", "Group", kind),
                Choice::new("project", "Project", kind),
            ])
            .collect(),
        roles: any(&role)
            .chain(
                AccessLevel::ALL
                    .into_iter()
                    .map(|level| Choice::new(level.number().to_string(), level.name(), &role)),
            )
            .collect(),
        scopes: any(scope)
            .chain(
                Scope::offered_to_resource_tokens(registry)
                    .into_iter()
                    .map(|one| Choice::new(one.name(), one.name(), scope)),
            )
            .collect(),
        states: if inventory::keeps_ended(&call.ctx, root) {
            [("", "Active"), ("inactive", "Inactive"), ("all", "Any")]
                .map(|(value, label)| Choice::new(value, label, &listing.state))
                .into()
        } else {
            Vec::new()
        },
        expires_before: listing.expires_before.clone(),
        unused: any(&unused)
            .chain(Span::ALL.into_iter().map(|span| {
                let days = span.days();
                Choice::new(days.to_string(), format!("{days} days"), &unused)
            }))
            .collect(),
        sort: listing.sort.clone(),
        narrows: listing.narrows(),
    }
}
