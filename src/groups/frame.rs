//! The frame around a group's pages: breadcrumbs and sidebar, from what the request knows already.

use super::Group;
use crate::permissions::{Place as Spot, Right};
use crate::web::page::PageCall;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Rights, Sidebar};

/// The shell of a page about a group. `title` is the page's own, such as `Access tokens`; the overview
/// is titled by the group alone.
pub fn shell(call: &PageCall, group: &Group, title: &str, place: Place) -> Shell {
    let overview = place == Place::Overview;
    let mut crumbs = ancestors_and_self(call, group);
    if overview {
        if let Some(last) = crumbs.last_mut() {
            last.href = None;
        }
    } else {
        crumbs.extend(steps_to(title, place));
    }
    let ctx = &call.ctx;
    let could = |right| ctx.actor.could(right, &group.place(), &ctx.policy);
    let rights = Rights {
        members: could(Right::SeeGroup),
        general: could(Right::EditGroup),
        access_tokens: could(Right::SeeTokens),
        webhooks: could(Right::ManageWebhooks),
        token_inventory: group.parent_id.is_none() && could(Right::SeeTokens),
        audit_events: could(Right::SeeAuditEvents),
        code: false,
    };
    call.shell(
        if overview {
            group.full_path.clone()
        } else {
            format!("{title} · {}", group.full_path)
        },
        crumbs,
        Some(Sidebar::group(&group.name, &group.full_path, rights, place)),
    )
}

/// The last steps of the breadcrumbs of a page about a group or project.
pub(crate) fn steps_to(title: &str, place: Place) -> Vec<Crumb> {
    let mut steps = Vec::new();
    match place {
        Place::General | Place::AccessTokens | Place::TokenInventory | Place::Webhooks => {
            steps.push(Crumb::here("Settings"));
        }
        Place::Files | Place::Commits | Place::Branches | Place::Tags => {
            steps.push(Crumb::here("Code"));
        }
        _ => {}
    }
    steps.push(Crumb::here(title));
    steps
}

/// One step for each group from the root to this one; those that the viewer can surely see are links.
pub(crate) fn ancestors_and_self(call: &PageCall, group: &Group) -> Vec<Crumb> {
    let ctx = &call.ctx;
    path_steps(group, |traversal| {
        // What lies above is at least as visible as the group itself, so the group's own visibility
        // may stand for it: whoever passes with that can see the one above, too.
        ctx.actor.sees(
            &Spot {
                traversal,
                ..group.place()
            },
            &ctx.policy,
        )
    })
}

/// Names where they may be known, else the words of the address, which the viewer knows anyway.
fn path_steps(group: &Group, sees: impl Fn(&str) -> bool) -> Vec<Crumb> {
    let ends = |text: &str, separator: char| -> Vec<usize> {
        text.match_indices(separator).map(|(at, _)| at).collect()
    };
    let mut path_ends = ends(&group.full_path, '/');
    path_ends.push(group.full_path.len());
    let traversal_ends = ends(&group.traversal, '/');
    let names: Vec<&str> = group.full_name.split(" / ").collect();
    // A name that itself contains the separator: nobody can tell any more which is whose.
    let named = names.len() == path_ends.len();
    let last = path_ends.len() - 1;
    path_ends
        .iter()
        .enumerate()
        .map(|(depth, end)| {
            let path = group.full_path.get(..*end).unwrap_or_default();
            let segment = path.rsplit('/').next().unwrap_or_default();
            if depth == last {
                return Crumb::link(&group.name, format!("/{path}"));
            }
            let traversal = traversal_ends
                .get(depth)
                .and_then(|end| group.traversal.get(..=*end));
            if traversal.is_some_and(&sees) {
                let name = names
                    .get(depth)
                    .filter(|_| named)
                    .copied()
                    .unwrap_or(segment);
                Crumb::link(name, format!("/{path}"))
            } else {
                Crumb::here(segment)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Visibility;

    fn group(full_path: &str, full_name: &str, name: &str, traversal: &str) -> Group {
        Group {
            id: 203,
            name: name.into(),
            path: full_path.rsplit('/').next().unwrap().into(),
            description: String::new(),
            full_path: full_path.into(),
            full_name: full_name.into(),
            traversal: traversal.into(),
            root_id: 1,
            parent_id: Some(17),
            owner_id: None,
            visibility: Visibility::Private,
            created_at: chrono::DateTime::UNIX_EPOCH,
            creation_allowed: true,
            plan: crate::groups::plan::Plan::default(),
            retain_bots: None,
            notify_inherited: crate::groups::notify_inherited::Choice::default(),
        }
    }

    fn told(steps: &[Crumb]) -> Vec<(&str, Option<&str>)> {
        steps
            .iter()
            .map(|step| (step.label.as_str(), step.href.as_deref()))
            .collect()
    }

    #[test]
    fn each_group_above_is_asked_for_by_its_own_traversal() {
        let group = group(
            "acme/platform/api",
            "Acme / Platform / The API",
            "The API",
            "1/17/203/",
        );
        let steps = path_steps(&group, |traversal| traversal == "1/17/");
        assert_eq!(
            told(&steps),
            [
                ("acme", None),
                ("Platform", Some("/acme/platform")),
                ("The API", Some("/acme/platform/api")),
            ]
        );
        let steps = path_steps(&group, |traversal| traversal == "1/");
        assert_eq!(
            told(&steps)[..2],
            [("Acme", Some("/acme")), ("platform", None)]
        );
    }

    #[test]
    fn a_name_with_the_separator_in_it_confuses_nothing() {
        let group = group("acme/web", "A / B / Web", "Web", "1/203/");
        let steps = path_steps(&group, |_| true);
        assert_eq!(
            told(&steps),
            [("acme", Some("/acme")), ("Web", Some("/acme/web"))]
        );
    }

    #[test]
    fn pages_of_the_settings_stand_below_settings() {
        assert_eq!(
            told(&steps_to("Access tokens", Place::AccessTokens)),
            [("Settings", None), ("Access tokens", None)]
        );
        assert_eq!(
            told(&steps_to("Members", Place::Members)),
            [("Members", None)]
        );
    }
}
