//! The list of users.

use std::collections::HashMap;

use actix_web::HttpResponse;

use super::asked::{Asked, TABS};
use super::store::{self, Tab};
use super::{PATH, rows, shell};
use crate::admin::gate::administers;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::Error;
use crate::groups::{self, Group};
use crate::projects::{self, Project};
use crate::users::User;
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::admin::users::{TabLink, UserRows, UsersPage, bot_columns, person_columns};

/// Users on one page.
const PER_PAGE: i64 = 50;

/// What a page of the list reads.
struct Found {
    page: Page<User>,
    roles: HashMap<i64, i64>,
    groups: Vec<Group>,
    projects: Vec<Project>,
}

/// `GET /admin/users` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let asked = Asked::read(&call.query);
    let query = asked.query.clone();
    let request = PageRequest {
        page: asked.page,
        per_page: PER_PAGE,
    };
    let found = call
        .read(move |conn, ctx| find(conn, ctx, &query, request))
        .await?;
    let sorted = |sort: &str| asked.href(asked.tab(), sort, 1);
    let (columns, rows) = if asked.query.tab == Tab::Bots {
        let rows = found.page.rows.iter();
        let row = |bot| rows::bot(bot, &found.groups, &found.projects);
        (
            bot_columns(&asked.sort, sorted),
            UserRows::Bots(rows.map(row).collect()),
        )
    } else {
        let rows = found.page.rows.iter();
        let row = |user: &User| {
            let roles = found.roles.get(&user.id).copied().unwrap_or_default();
            let row = rows::person(user, roles, &call.ctx);
            match asked.query.tab {
                Tab::Pending => rows::waiting(row),
                _ => row,
            }
        };
        (
            person_columns(&asked.sort, sorted),
            UserRows::People(rows.map(row).collect()),
        )
    };
    call.ok(&UsersPage {
        shell: shell(&call, "Users"),
        path: PATH,
        tabs: TABS
            .into_iter()
            .map(|(tab, value, label)| TabLink {
                label,
                href: asked.href(value, &asked.sort, 1),
                current: tab == asked.query.tab,
            })
            .collect(),
        tab: asked.tab(),
        label: TABS
            .into_iter()
            .find(|(tab, _, _)| *tab == asked.query.tab)
            .map_or("", |(_, _, label)| label),
        search: asked.query.search.clone(),
        sort: asked.sort.clone(),
        reset: lists::address(PATH, &[("tab", asked.tab())]),
        count: lists::total(found.page.total),
        columns,
        rows,
        pagination: lists::foot("Users", &found.page, |page| {
            asked.href(asked.tab(), &asked.sort, page)
        }),
    })
}

fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    query: &store::Query,
    request: PageRequest,
) -> Result<Found, Error> {
    let page = lists::page_or_last(request, |request| store::list(conn, query, request))?;
    let users = || page.rows.iter();
    if query.tab == Tab::Bots {
        let (in_groups, in_projects): (Vec<i64>, Vec<i64>) = (
            users().filter_map(|bot| bot.bot_group_id).collect(),
            users().filter_map(|bot| bot.bot_project_id).collect(),
        );
        return Ok(Found {
            groups: groups::store::find_all(conn, in_groups)?,
            projects: projects::store::find_all(conn, in_projects)?,
            roles: HashMap::new(),
            page,
        });
    }
    let ids: Vec<i64> = users().map(|user| user.id).collect();
    Ok(Found {
        roles: store::count_roles(conn, &ids, ctx.today())?,
        groups: Vec::new(),
        projects: Vec::new(),
        page,
    })
}
