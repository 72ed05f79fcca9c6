//! The frame around a project's pages: breadcrumbs and sidebar, from what the request knows already.

use super::Project;
use crate::groups::frame::{ancestors_and_self, steps_to};
use crate::permissions::Right;
use crate::web::page::PageCall;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Rights, Sidebar};

/// The shell of a page about a project. `title` is the page's own, such as `Access tokens`; the overview
/// is titled by the project alone.
pub fn shell(call: &PageCall, project: &Project, title: &str, place: Place) -> Shell {
    let overview = place == Place::Overview;
    let full_path = project.full_path();
    let mut crumbs = ancestors_and_self(call, &project.namespace);
    if let Some(namespace) = crumbs.last_mut()
        && !sees_namespace(call, project)
    {
        *namespace = Crumb::here(&project.namespace.path);
    }
    if overview {
        crumbs.push(Crumb::here(&project.name));
    } else {
        crumbs.push(Crumb::link(&project.name, format!("/{full_path}")));
        crumbs.extend(steps_to(title, place));
    }
    let ctx = &call.ctx;
    let could = |right| ctx.actor.could(right, &project.place(), &ctx.policy);
    let rights = Rights {
        members: could(Right::SeeProject),
        general: could(Right::EditProject),
        access_tokens: could(Right::SeeTokens),
        webhooks: false,
        token_inventory: false,
        audit_events: false,
        code: could(Right::ReadCode),
    };
    let sidebar = Sidebar::project(&project.name, &full_path, rights, place);
    call.shell(
        if overview {
            full_path
        } else {
            format!("{title} · {full_path}")
        },
        crumbs,
        Some(sidebar),
    )
}

/// May the viewer know the group that the project is in? Being a member of the project alone isn't enough.
pub(crate) fn sees_namespace(call: &PageCall, project: &Project) -> bool {
    let ctx = &call.ctx;
    ctx.actor.sees(&project.namespace.place(), &ctx.policy)
}
