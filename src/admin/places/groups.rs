//! All groups.

use std::collections::HashMap;

use actix_web::HttpResponse;

use super::asked::Asked;
use super::store::{self, Counts, Owners};
use crate::admin::gate::administers;
use crate::admin::users;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::Error;
use crate::groups::Group;
use crate::groups::list::{Filter, Order, list_visible};
use crate::projects::list::count_visible_in;
use crate::web::lists::{self, grouped};
use crate::web::page::PageCall;
use crate::web::views::admin::places::{GroupRow, GroupsPage, OwnerCell, group_columns};
use crate::web::views::components::{Choice, Day};
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};

/// The list's own address.
const PATH: &str = "/admin/groups";

/// Groups on one page.
const PER_PAGE: i64 = 50;

/// What the page reads.
struct Found {
    page: Page<Group>,
    owners: HashMap<i64, Owners>,
    members: Counts,
    projects: Counts,
    tokens: Counts,
}

/// `GET /admin/groups` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let keys = ["name", "created_at"];
    let asked = Asked::read(&call.query, PATH, &keys, ("owner", &["none"]));
    let filter = Filter {
        search: asked.searched(),
        search_full_path: true,
        visibility: asked.visibility,
        without_owner: asked.own.1 == "none",
        order: if asked.by == "name" {
            Order::Name
        } else {
            Order::Id
        },
        descending: asked.descending,
        ..Filter::default()
    };
    let request = PageRequest {
        page: asked.page,
        per_page: PER_PAGE,
    };
    let found = call
        .read(move |conn, ctx| find(conn, ctx, &filter, request))
        .await?;
    let crumbs = vec![Crumb::link("Admin", "/admin"), Crumb::here("Groups")];
    call.ok(&GroupsPage {
        shell: call.shell("Groups", crumbs, Some(Sidebar::admin(Place::Groups))),
        path: PATH,
        search: asked.search.clone(),
        visibilities: asked.visibilities(),
        owners: [("", "Any"), ("none", "No owner")]
            .map(|(value, label)| Choice::new(value, label, asked.own.1))
            .to_vec(),
        sort: asked.sort.clone(),
        narrows: asked.narrows(),
        count: lists::total(found.page.total),
        columns: group_columns(&asked.sort, |sort| asked.href(sort, 1)),
        rows: found
            .page
            .rows
            .iter()
            .map(|group| found.row(group))
            .collect(),
        pagination: lists::foot("Groups", &found.page, |page| asked.href(&asked.sort, page)),
    })
}

fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<Found, Error> {
    let page = lists::page_or_last(request, |request| list_visible(conn, ctx, filter, request))?;
    let ids: Vec<i64> = page.rows.iter().map(|group| group.id).collect();
    Ok(Found {
        owners: store::owners_of(conn, &ids, ctx.today())?,
        members: store::people_in(conn, &ids)?,
        projects: count_visible_in(conn, ctx, &ids)?,
        tokens: store::active_tokens_of_groups(conn, &ids, ctx.today())?,
        page,
    })
}

impl Found {
    fn row(&self, group: &Group) -> GroupRow {
        let count = |counts: &Counts| grouped(counts.get(&group.id).copied().unwrap_or_default());
        GroupRow {
            name: group.name.clone(),
            full_path: group.full_path.clone(),
            visibility: group.visibility.into(),
            owner: match self.owners.get(&group.id) {
                Some(owners) => OwnerCell::Somebody {
                    name: owners.name.clone(),
                    href: users::address(&owners.username),
                    others: owners.others,
                },
                None if group.parent_id.is_some() => OwnerCell::Inherited,
                None => OwnerCell::Nobody,
            },
            members: count(&self.members),
            projects: count(&self.projects),
            tokens: count(&self.tokens),
            created: Day::on(group.created_at.date_naive()),
        }
    }
}
