//! All projects.

use actix_web::HttpResponse;

use super::asked::Asked;
use super::store::{self, Counts};
use crate::admin::gate::administers;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::Error;
use crate::projects::Project;
use crate::projects::list::{Filter, Order, list_visible};
use crate::web::lists::{self, grouped};
use crate::web::page::PageCall;
use crate::web::views::admin::places::{ProjectRow, ProjectsPage, project_columns};
use crate::web::views::components::{Choice, Day, Moment};
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};

/// The list's own address.
const PATH: &str = "/admin/projects";

/// Projects on one page.
const PER_PAGE: i64 = 50;

/// `GET /admin/projects` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let keys = ["name", "created_at", "last_activity_at"];
    let asked = Asked::read(&call.query, PATH, &keys, ("archived", &["no", "yes"]));
    let filter = Filter {
        search: asked.searched(),
        search_namespaces: true,
        visibility: asked.visibility,
        archived: match asked.own.1 {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        order: match asked.by {
            "name" => Order::Name,
            "last_activity_at" => Order::LastActivityAt,
            _ => Order::Id,
        },
        ascending: !asked.descending,
        ..Filter::default()
    };
    let request = PageRequest {
        page: asked.page,
        per_page: PER_PAGE,
    };
    let (page, tokens) = call
        .read(move |conn, ctx| find(conn, ctx, &filter, request))
        .await?;
    let crumbs = vec![Crumb::link("Admin", "/admin"), Crumb::here("Projects")];
    let now = call.ctx.now;
    let row = |project: &Project| ProjectRow {
        name: project.row.name.clone(),
        full_path: project.full_path(),
        namespace: project.namespace.full_path.clone(),
        visibility: project.row.visibility.into(),
        archived: project.row.archived,
        tokens: grouped(tokens.get(&project.row.id).copied().unwrap_or_default()),
        active: Moment::at(project.row.last_activity_at, now),
        created: Day::on(project.row.created_at.date_naive()),
    };
    call.ok(&ProjectsPage {
        shell: call.shell("Projects", crumbs, Some(Sidebar::admin(Place::Projects))),
        path: PATH,
        search: asked.search.clone(),
        visibilities: asked.visibilities(),
        archived: [("", "Any"), ("no", "Not archived"), ("yes", "Archived")]
            .map(|(value, label)| Choice::new(value, label, asked.own.1))
            .to_vec(),
        sort: asked.sort.clone(),
        narrows: asked.narrows(),
        count: lists::total(page.total),
        columns: project_columns(&asked.sort, |sort| asked.href(sort, 1)),
        rows: page.rows.iter().map(row).collect(),
        pagination: lists::foot("Projects", &page, |number| asked.href(&asked.sort, number)),
    })
}

fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<(Page<Project>, Counts), Error> {
    let page = lists::page_or_last(request, |request| list_visible(conn, ctx, filter, request))?;
    let ids: Vec<i64> = page.rows.iter().map(|project| project.row.id).collect();
    let tokens = store::active_tokens_of_projects(conn, &ids, ctx.today())?;
    Ok((page, tokens))
}
