//! Where people start, and how they find what they look for.

use actix_web::HttpResponse;

use crate::access_tokens::attention;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest, Total};
use crate::error::Error;
use crate::permissions::Right;
use crate::projects::Project;
use crate::web::page::PageCall;
use crate::web::views::components::{Expiry, Moment, Pagination};
use crate::web::views::groups::GroupRow;
use crate::web::views::home::{ExpiringToken, HomePage, UnusedToken};
use crate::web::views::search::SearchPage;
use crate::web::views::sidebar::Place;
use crate::web::{frame, lists};
use crate::{groups, projects};

/// `GET /` (`OwnAccount`): what needs attention, and one's own groups.
///
/// # Errors
/// When the database is away.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let (rows, noticed) = call
        .read(|conn, ctx| {
            let groups = groups::pages::starting_points(conn, ctx, PageRequest::default())?;
            Ok((groups.rows, attention::of_actor(conn, ctx)?))
        })
        .await?;
    let ctx = &call.ctx;
    let page = HomePage {
        shell: frame::shell(&call, "Home", Place::Home),
        name: ctx.actor.name().to_owned(),
        more_expiring: noticed.more_expiring,
        more_unused: noticed.more_unused,
        expiring: noticed
            .expiring
            .into_iter()
            .filter_map(|token| {
                Some(ExpiringToken {
                    href: format!("{}/{}", token.page(), token.id),
                    expires: Expiry::on(token.expires_at?, ctx.today()),
                    name: token.name,
                    resource: token.full_path,
                })
            })
            .collect(),
        unused: noticed
            .unused
            .into_iter()
            .map(|token| UnusedToken {
                href: format!("{}/{}", token.page(), token.id),
                last_used: token.last_used_at.map(|at| Moment::at(at, ctx.now)),
                name: token.name,
                resource: token.full_path,
            })
            .collect(),
        groups: rows,
        can_create_group: ctx.actor.could_on_instance(Right::CreateTopLevelGroup),
    };
    call.ok(&page)
}

/// `GET /search?search=`, for everybody (`SeeGroup`, `SeeProject`): groups and projects by name or path,
/// as far as the viewer can see them.
///
/// # Errors
/// When the database is away.
pub async fn search(call: PageCall) -> Result<HttpResponse, Error> {
    let text = call.query.text("search").trim().to_owned();
    let mut shell = frame::shell(&call, "Search", Place::Elsewhere);
    shell.search.clone_from(&text);
    if text.is_empty() {
        let (groups, projects) = (Vec::new(), Vec::new());
        return call.ok(&SearchPage {
            shell,
            groups,
            projects,
            pagination: None,
        });
    }
    let request = PageRequest {
        page: call.query.page("page"),
        ..PageRequest::default()
    };
    let wanted = text.clone();
    let (groups, found) = call
        .read(move |conn, ctx| {
            let (mut groups, mut projects) = find(conn, ctx, &wanted, request)?;
            if groups.rows.is_empty() && projects.rows.is_empty() && request.page > 1 {
                let last = last_page(&groups, &projects).unwrap_or(1);
                (groups, projects) = find(
                    conn,
                    ctx,
                    &wanted,
                    PageRequest {
                        page: last,
                        ..request
                    },
                )?;
            }
            Ok((groups, projects))
        })
        .await?;
    let totals = Totals {
        page: u64::try_from(groups.request.page).unwrap_or(1),
        groups: groups.total,
        projects: found.total,
        last: last_page(&groups, &found),
        more: groups.has_next || found.has_next,
    };
    call.ok(&SearchPage {
        pagination: totals.foot(&text),
        shell,
        groups: groups.rows,
        projects: found
            .rows
            .iter()
            .map(|project| projects::rows::row(&call.ctx, project))
            .collect(),
    })
}

/// The same page of groups and of projects: each goes on while the other is at its end.
fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    text: &str,
    request: PageRequest,
) -> Result<(Page<GroupRow>, Page<Project>), Error> {
    let filter = groups::list::Filter {
        search: Some(text.to_owned()),
        search_full_path: true,
        ..Default::default()
    };
    let groups = groups::rows::page(conn, ctx, &filter, request, false)?;
    let filter = projects::list::Filter {
        search: Some(text.to_owned()),
        search_namespaces: true,
        order: projects::list::Order::Path,
        ascending: true,
        ..Default::default()
    };
    Ok((
        groups,
        projects::list::list_visible(conn, ctx, &filter, request)?,
    ))
}

fn last_page(groups: &Page<GroupRow>, projects: &Page<Project>) -> Option<i64> {
    Some(groups.total_pages()?.max(projects.total_pages()?))
}

/// How much was found; groups and projects are paged together.
struct Totals {
    page: u64,
    groups: Total,
    projects: Total,
    last: Option<i64>,
    more: bool,
}

impl Totals {
    fn foot(&self, text: &str) -> Option<Pagination> {
        if self.page == 1 && !self.more {
            return None;
        }
        let counted = |total: Total, noun: &str| {
            let plural = if total == Total::Counted(1) { "" } else { "s" };
            format!("{} {noun}{plural}", lists::total(total))
        };
        Some(Pagination::new(
            "Search results",
            format!(
                "{}, {}",
                counted(self.groups, "group"),
                counted(self.projects, "project")
            ),
            self.page,
            self.last.and_then(|last| u64::try_from(last).ok()),
            self.more,
            |page| lists::address("/search", &[("search", text), ("page", &page.to_string())]),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(page: u64, groups: i64, projects: i64, more: bool) -> Totals {
        Totals {
            page,
            groups: Total::Counted(groups),
            projects: Total::Counted(projects),
            last: Some(3),
            more,
        }
    }

    #[test]
    fn the_foot_counts_both_kinds_and_keeps_what_was_searched_for() {
        assert!(totals(1, 1, 1, false).foot("a b").is_none());
        let foot = totals(2, 1, 41, true).foot("a b").unwrap();
        assert_eq!(foot.summary, "1 group, 41 projects");
        assert_eq!(foot.next.as_deref(), Some("/search?search=a%20b&page=3"));
        assert!(totals(3, 1, 41, false).foot("a b").unwrap().next.is_none());
    }
}
