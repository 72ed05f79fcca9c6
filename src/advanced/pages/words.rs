//! What happens, in sentences with numbers.

use crate::access_tokens::Resource;
use crate::advanced::Inside;
use crate::advanced::roles::{Changed, Held, compare};
use crate::advanced::store::Destination;
use crate::context::Context;
use crate::db::{COUNTED_AT_MOST, Total};
use crate::groups::Group;
use crate::groups::plan::{Offering, Plan};
use crate::members::AccessLevel;
use crate::settings::Policy;
use crate::web::lists::total;
use crate::web::views::advanced::Consequence;

/// People that one sentence names.
const NAMED: usize = 5;

/// What another address means.
pub(super) fn other_address(resource: &Resource, inside: &Inside) -> Vec<Consequence> {
    let mut told = match resource {
        Resource::Group(_) => vec![addresses(inside)],
        Resource::Project(_) => vec![Consequence::new(
            "The project has another clone address. Whoever cloned it has to set the new one.",
        )],
    };
    told.push(Consequence::new(
        "The old address leads nowhere from then on, and others may take it.",
    ));
    told.push(Consequence::new(match inside.tokens {
        Total::Counted(0) => "No active access token is affected.".to_owned(),
        tokens => format!(
            "{} on working; programs have to use the new address.",
            verb(
                &counted(tokens, "active access token"),
                tokens,
                "goes",
                "go"
            )
        ),
    }));
    told
}

fn addresses(inside: &Inside) -> Consequence {
    Consequence::new(match (inside.subgroups, inside.projects) {
        (Total::Counted(0), Total::Counted(0)) => {
            "Only the address of the group changes: it holds no subgroups and no projects."
                .to_owned()
        }
        (subgroups, projects) => format!(
            "The addresses of {} and {} change with it. Whoever cloned one of the projects has to set the new address.",
            counted(subgroups, "subgroup"),
            counted(projects, "project")
        ),
    })
}

/// What the end of something means.
pub(super) fn the_end(resource: &Resource, inside: &Inside) -> Vec<Consequence> {
    let mut told = Vec::new();
    match resource {
        Resource::Group(_) => {
            told.push(Consequence::new(
                match (inside.subgroups, inside.projects) {
                    (Total::Counted(0), Total::Counted(0)) => {
                        "It holds no subgroups and no projects.".to_owned()
                    }
                    (subgroups, projects) => format!(
                        "{} and {} are deleted with it, with all their code.",
                        sentence(&counted(subgroups, "subgroup")),
                        counted(projects, "project")
                    ),
                },
            ));
        }
        Resource::Project(_) => told.push(Consequence::new(
            "All its code is deleted: branches, tags and history.",
        )),
    }
    told.push(Consequence::new(match inside.tokens {
        Total::Counted(0) => "No active access token is affected.".to_owned(),
        tokens => format!(
            "{} working at once, and never {} again.",
            verb(
                &counted(tokens, "active access token"),
                tokens,
                "stops",
                "stop"
            ),
            if tokens == Total::Counted(1) {
                "works"
            } else {
                "work"
            }
        ),
    }));
    if inside.roles != Total::Counted(0) {
        let roles = format!("{} that people have in it", counted(inside.roles, "role"));
        told.push(Consequence::new(
            verb(&roles, inside.roles, "ends", "end") + ".",
        ));
    }
    if inside.webhooks != Total::Counted(0) {
        let webhooks = counted(inside.webhooks, "webhook");
        told.push(Consequence::new(format!(
            "{} deleted, with the log of deliveries.",
            verb(&webhooks, inside.webhooks, "is", "are")
        )));
    }
    told.push(Consequence::new("The address is free: others may take it."));
    told
}

/// What a move means, for all who had a role in it so far, or have one then.
pub(super) fn the_move(
    ctx: &Context,
    resource: &Resource,
    destination: &Destination,
    held: &[Held],
    becomes_owner: bool,
) -> Vec<Consequence> {
    let mut told = other_address(resource, &destination.inside);
    told.extend(creation(
        resource.group(),
        destination.parent.as_ref(),
        ctx.policy.offering,
    ));
    told.extend(governed(&ctx.policy, resource, destination));
    if becomes_owner {
        told.push(Consequence::new(
            "You become its Owner: nobody else owns the group itself without an end.",
        ));
    }
    let changes = compare(held);
    let hidden = destination.narrowest.name();
    for (list, one, many) in [
        (&changes.lost, "loses access", "lose access"),
        (
            &changes.seeing_less,
            &*format!("loses the role in it and no longer sees what is {hidden} in it"),
            &*format!("lose their roles in it and no longer see what is {hidden} in it"),
        ),
        (
            &changes.only_seeing,
            "loses the role in it",
            "lose their roles in it",
        ),
        (
            &changes.further_down,
            "loses the role in it and keeps one further down",
            "lose their roles in it and keep one further down",
        ),
    ] {
        told.extend(people(list, (one, many), |who| role(who.before)));
    }
    let instead = |who: &Changed| format!("{} instead of {}", role(who.after), role(who.before));
    told.extend(people(
        &changes.lowered,
        ("gets a lower role", "get a lower role"),
        instead,
    ));
    for (list, one, many) in [
        (&changes.gained, "gains access", "gain access"),
        (&changes.seen_before, "gets a role in it", "get roles in it"),
    ] {
        told.extend(people(list, (one, many), |who| role(who.after)));
    }
    told.extend(people(
        &changes.raised,
        ("gets a higher role", "get a higher role"),
        instead,
    ));
    for (tokens, one, many) in [
        (
            changes.tokens_lost,
            "of a group above no longer reaches it",
            "of groups above no longer reach it",
        ),
        (
            changes.tokens_only_seeing,
            "of a group above has no role in it any more, and only reads what is open to all",
            "of groups above have no role in it any more, and only read what is open to all",
        ),
        (
            changes.tokens_gained,
            "of a group above the new place reaches it",
            "of groups above the new place reach it",
        ),
    ] {
        if tokens > 0 {
            let tokens = bounded(tokens);
            told.push(Consequence::new(
                verb(&counted(tokens, "access token"), tokens, one, many) + ".",
            ));
        }
    }
    told
}

/// Who says there whether tokens can be made, where that is worth a word.
fn creation(from: &Group, to: Option<&Group>, offering: Offering) -> Option<Consequence> {
    let included = |plan: Plan| plan.allows_creation(offering);
    let (root, switch, plan) = match to {
        Some(to) => (to.root_path(), to.creation_allowed, to.plan),
        None => (from.path.as_str(), from.creation_allowed, Plan::default()),
    };
    let kept = "Those that come along go on working.";
    if !included(plan) {
        Some(Consequence::new(format!(
            "The plan of {root} doesn't include group and project access tokens: no new ones can be made or rotated there. {kept}"
        )))
    } else if !switch {
        Some(Consequence::new(format!(
            "Creating access tokens is turned off in {root}: no new ones can be made or rotated there. {kept}"
        )))
    } else if !from.creation_allowed || !included(from.plan) {
        Some(Consequence::new(format!(
            "Access tokens can be created in it again: {root} allows it."
        )))
    } else {
        None
    }
}

/// What another top-level group decides: who may create tokens, and what becomes of bots.
fn governed(
    policy: &Policy,
    resource: &Resource,
    destination: &Destination,
) -> Option<Consequence> {
    let (from, to) = (resource.group(), destination.parent.as_ref());
    let tokens = match destination.inside.tokens {
        Total::Counted(0) => "It holds no active access token so far.".to_owned(),
        tokens => format!(
            "That holds for {} in it.",
            counted(tokens, "active access token")
        ),
    };
    let switched = |on: bool| if on { "on" } else { "off" };
    let kept = |keeps: bool| if keeps { "kept" } else { "removed" };
    let keeps = |group: &Group| policy.retains_bots(group.retain_bots);
    let is_top = matches!(resource, Resource::Group(group) if group.parent_id.is_none());
    let text = match to {
        None => format!(
            "It becomes a top-level group, which decides by itself whether access tokens are created in it and whether their bots are kept. At first both stay as {} has them: creating is turned {}, and bots are {} when their token is revoked.",
            from.root_path(),
            switched(from.creation_allowed),
            kept(keeps(from))
        ),
        Some(to) if is_top => {
            let choice = match from.retain_bots {
                Some(keeps) => format!("its choice that bots are {}", kept(keeps)),
                None => "its say about bots".to_owned(),
            };
            format!(
                "It stops being a top-level group: its switch for creating access tokens, which is {}, and {choice} are given up. {} decides from then on: creating is turned {}, and bots are {} when their token is revoked.",
                switched(from.creation_allowed),
                to.root_path(),
                switched(to.creation_allowed),
                kept(keeps(to))
            )
        }
        Some(to) if to.root_id != from.root_id && keeps(to) != keeps(from) => format!(
            "Bots are {} when their token is revoked, as {} has it; so far they are {}.",
            kept(keeps(to)),
            to.root_path(),
            kept(keeps(from))
        ),
        Some(_) => return None,
    };
    Some(Consequence::new(format!("{text} {tokens}")))
}

fn people(
    list: &[Changed],
    (one, many): (&str, &str),
    role: impl Fn(&Changed) -> String,
) -> Option<Consequence> {
    if list.is_empty() {
        return None;
    }
    let count = bounded(list.len());
    let number = match count {
        Total::Counted(1) => "1 person".to_owned(),
        count => format!("{} people", total(count)),
    };
    let names = list.iter().take(NAMED);
    Some(Consequence {
        text: verb(&number, count, one, many),
        names: names
            .map(|who| {
                (
                    who.name.clone(),
                    format!("@{}, {}", who.username, role(who)),
                )
            })
            .collect(),
        more: match list.len().saturating_sub(NAMED) {
            0 => None,
            more => Some(total(bounded(more))),
        },
    })
}

fn role(level: Option<AccessLevel>) -> String {
    level.map_or_else(String::new, |level| level.name().to_owned())
}

fn bounded(number: usize) -> Total {
    Total::from_bounded_count(i64::try_from(number).unwrap_or(COUNTED_AT_MOST + 1))
}

/// `no projects`, `1 project`, `12 projects`, `10,000+ projects`.
fn counted(number: Total, noun: &str) -> String {
    match number {
        Total::Counted(0) => format!("no {noun}s"),
        Total::Counted(1) => format!("1 {noun}"),
        number => format!("{} {noun}s", total(number)),
    }
}

/// Says of one or many what they do.
fn verb(subject: &str, number: Total, one: &str, many: &str) -> String {
    let verb = if number == Total::Counted(1) {
        one
    } else {
        many
    };
    format!("{subject} {verb}")
}

fn sentence(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Inside = Inside {
        subgroups: Total::Counted(0),
        projects: Total::Counted(0),
        tokens: Total::Counted(0),
        roles: Total::Counted(0),
        webhooks: Total::Counted(0),
    };

    fn texts(told: &[Consequence]) -> Vec<&str> {
        told.iter().map(|one| one.text.as_str()).collect()
    }

    #[test]
    fn numbers_stand_beside_the_right_words() {
        for (number, text) in [
            (Total::Counted(0), "no projects"),
            (Total::Counted(1), "1 project"),
            (Total::Counted(1234), "1,234 projects"),
            (Total::Many, "10,000+ projects"),
        ] {
            assert_eq!(counted(number, "project"), text);
        }
        assert_eq!(
            addresses(&Inside {
                projects: Total::Counted(2),
                ..NOTHING
            })
            .text,
            "The addresses of no subgroups and 2 projects change with it. Whoever cloned one of the projects has to set the new address."
        );
    }

    #[test]
    fn some_people_are_named_and_the_others_counted() {
        let person = |n: usize| Changed {
            name: format!("P{n}"),
            username: format!("p{n}"),
            before: Some(AccessLevel::Owner),
            after: None,
        };
        let words = ("loses access", "lose access");
        let told = |n: usize| {
            let list: Vec<Changed> = (0..n).map(person).collect();
            people(&list, words, |who| role(who.before))
        };
        assert!(told(0).is_none());
        let one = told(1).unwrap();
        assert_eq!(
            (one.text.as_str(), one.more),
            ("1 person loses access", None)
        );
        assert_eq!(one.names, [("P0".to_owned(), "@p0, Owner".to_owned())]);
        let twelve = told(12).unwrap();
        assert_eq!(twelve.text, "12 people lose access");
        assert_eq!((twelve.names.len(), twelve.more.as_deref()), (5, Some("7")));
        assert_eq!(told(10_001).unwrap().text, "10,000+ people lose access");
    }

    #[test]
    fn the_end_says_nothing_of_what_is_not_there() {
        let resource = Resource::Group(crate::members::samples::group(17));
        assert_eq!(
            texts(&the_end(&resource, &NOTHING)),
            [
                "It holds no subgroups and no projects.",
                "No active access token is affected.",
                "The address is free: others may take it.",
            ]
        );
        let all = Inside {
            subgroups: Total::Counted(0),
            projects: Total::Counted(1),
            tokens: Total::Counted(1),
            roles: Total::Counted(2),
            webhooks: Total::Counted(1),
        };
        assert_eq!(
            texts(&the_end(&resource, &all))[..4],
            [
                "No subgroups and 1 project are deleted with it, with all their code.",
                "1 active access token stops working at once, and never works again.",
                "2 roles that people have in it end.",
                "1 webhook is deleted, with the log of deliveries.",
            ]
        );
    }
}
