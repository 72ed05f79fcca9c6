//! Pages: all tokens of the instance, and the end of some of them. Values are nowhere among them.

mod address;

use std::collections::{BTreeSet, HashMap};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::rows;
use crate::access_tokens::scope::Scope;
use crate::access_tokens::unused::idleness;
use crate::access_tokens::{ListedToken, Resource, TokenType, list, revoke as revoking, store};
use crate::context::Context;
use crate::db::{DbConnection, Page};
use crate::error::{Error, FieldErrors, What};
use crate::permissions::Right;
use crate::web::lists::{foot, page_or_last, total};
use crate::web::page::{Form, PageCall, same_origin_path};
use crate::web::views::admin::credentials::{
    ChosenToken, CredentialFilter, CredentialRow, CredentialsPage, RevokeCredentialsPage,
};
use crate::web::views::components::{Choice, Column, Day, Expiry, Moment, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Sidebar};
use address::Listing;

/// The list's own address.
const PATH: &str = "/admin/credentials";

/// Tokens that one form revokes, at the most.
const AT_ONCE: usize = 100;

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
    let back = back(&call.query);
    let ids = match chosen(&call.query) {
        Ok(ids) => ids,
        Err(problem) => return Ok(refused(&call, &back, problem)),
    };
    let (mut tokens, resources) = call
        .read(move |conn, ctx| {
            let tokens = list::by_ids(conn, ctx, &ids)?;
            let resources = store::resources_of(conn, tokens.iter().map(|listed| &listed.token))?;
            Ok((tokens, resources))
        })
        .await?;
    tokens.retain(|listed| !listed.token.is_revoked(call.ctx.now));
    if tokens.is_empty() {
        return Ok(refused(&call, &back, "These tokens are revoked already."));
    }
    let now = call.ctx.now;
    let page = RevokeCredentialsPage {
        shell: shell(&call, "Revoke access tokens"),
        path: PATH,
        used_lately: tokens
            .iter()
            .any(|listed| rows::is_used_lately(listed, now)),
        tokens: tokens
            .into_iter()
            .map(|listed| ChosenToken {
                id: listed.token.id,
                holder: holder(&listed, &resources),
                summary: rows::summary(&listed, now),
                name: listed.token.name,
            })
            .collect(),
        back,
    };
    call.ok(&page)
}

/// `POST /admin/credentials/revoke` (`Administer`, `RevokeToken`): revokes what was chosen, all or none.
///
/// # Errors
/// As [`index`].
pub async fn revoke(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let back = back(&call.form);
    let ids = match chosen(&call.form) {
        Ok(ids) => ids,
        Err(problem) => return Ok(refused(&call, &back, problem)),
    };
    let asked = ids.len();
    let revoked = call
        .write(move |conn, ctx| revoking::revoke_each(conn, ctx, &ids))
        .await?;
    call.app.jobs_waiting.notify_one();
    let (tone, said) = said(&revoked, asked);
    call.flash(tone, said);
    Ok(call.redirect(&back))
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

/// What was ticked, each once. An id that is none names no token.
fn chosen(form: &Form) -> Result<Vec<i64>, &'static str> {
    let ids: BTreeSet<i64> = form
        .all("ids")
        .into_iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    match ids.len() {
        0 => Err("No token was selected."),
        1..=AT_ONCE => Ok(ids.into_iter().collect()),
        _ => Err("At most 100 tokens can be revoked at a time."),
    }
}

/// The list that somebody came from.
fn back(form: &Form) -> String {
    let path = same_origin_path(form.text("back"));
    if path == PATH || path.starts_with(&format!("{PATH}?")) {
        path
    } else {
        PATH.to_owned()
    }
}

fn refused(call: &PageCall, back: &str, problem: &str) -> HttpResponse {
    call.flash(Tone::Danger, problem);
    call.redirect(back)
}

/// `Revoked 2 access tokens.`, and what became of the others.
fn said(revoked: &[ListedToken], asked: usize) -> (Tone, String) {
    let done = match revoked {
        [] => return (Tone::Info, "These tokens were revoked already.".to_owned()),
        [one] => format!("Revoked access token {}.", one.token.name),
        many => format!("Revoked {} access tokens.", many.len()),
    };
    match asked.saturating_sub(revoked.len()) {
        0 => (Tone::Success, done),
        1 => (Tone::Success, format!("{done} 1 was revoked already.")),
        others => (
            Tone::Success,
            format!("{done} {others} were revoked already."),
        ),
    }
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
    let rows: Vec<CredentialRow> = page
        .map(|page| page.rows)
        .unwrap_or_default()
        .into_iter()
        .map(|listed| row(listed, &resources, &call.ctx))
        .collect();
    CredentialsPage {
        shell: shell(call, "Credentials"),
        path: PATH,
        filter: filter(call, listing),
        errors,
        count,
        columns: columns(listing),
        any_living: rows.iter().any(|row| row.can_revoke),
        rows,
        pagination,
        all: listing.all,
        select_href: listing.href(PATH, |there| there.all = !there.all),
        back: listing.href(PATH, |there| there.all = false),
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

/// The group or project, or the person.
fn holder(listed: &ListedToken, resources: &HashMap<i64, Resource>) -> String {
    match resources.get(&listed.token.id) {
        Some(resource) => resource.full_path(),
        None => format!("@{}", listed.user.username),
    }
}

fn row(listed: ListedToken, resources: &HashMap<i64, Resource>, ctx: &Context) -> CredentialRow {
    let today = ctx.today();
    let token = &listed.token;
    let resource = resources.get(&token.id);
    CredentialRow {
        id: token.id,
        holder: holder(&listed, resources),
        holder_href: resource.map(|resource| match resource {
            Resource::Group(group) => {
                format!("/groups/{}/-/settings/access_tokens", group.full_path)
            }
            Resource::Project(project) => {
                format!("/{}/-/settings/access_tokens", project.full_path())
            }
        }),
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
        state: rows::state(&listed, ctx.now),
        can_revoke: !token.is_revoked(ctx.now),
        hint: token.hint.clone(),
        name: token.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_can_be_chosen_and_none_cannot() {
        let form = |number: usize| {
            let text: Vec<String> = (1..=number).map(|id| format!("ids={id}")).collect();
            Form::parse(text.join("&").as_bytes())
        };
        assert!(chosen(&form(0)).is_err());
        assert_eq!(chosen(&form(100)).map(|ids| ids.len()), Ok(100));
        assert!(chosen(&form(101)).is_err());
        assert_eq!(chosen(&Form::parse(b"ids=3&ids=x&ids=3")), Ok(vec![3]));
    }

    #[test]
    fn one_comes_back_to_the_list_and_nowhere_else() {
        let from = |text: &str| back(&Form::parse(format!("back={text}").as_bytes()));
        assert_eq!(
            from("/admin/credentials?page=2"),
            "/admin/credentials?page=2"
        );
        for elsewhere in [
            "",
            "/admin",
            "//evil.example",
            "https://evil.example",
            "/admin/credentialsx",
        ] {
            assert_eq!(from(elsewhere), PATH);
        }
    }
}
